"""The package's own files: templates, cloud-init parts and scripts."""

import functools
import importlib.resources

PACKAGE = importlib.resources.files('magnum_lite_swarm')


@functools.cache
def text(name: str) -> str:
    """The text of a file, by its path within the package (``scripts/worker.sh``)."""
    return PACKAGE.joinpath(name).read_text('utf-8')


def named(*names: str) -> dict[str, str]:
    """``{path: text}``, as the files of a stack."""
    return {name: text(name) for name in names}
