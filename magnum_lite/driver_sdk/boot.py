"""The library of boot scripts: what every driver's scripts source first on a node.

``scripts/boot_lib.sh`` has stages, bounded waits, enrolment and the report of how a boot ended. A
plan includes it as ``LIBRARY``, and cloud-init writes it to ``PATH``. It reads ``ENROLMENT_URL``,
``CLUSTER_UUID`` and ``BOOT_LIMIT_S`` of the driver's environment file.
"""

import functools
import importlib.resources

LIBRARY = 'scripts/boot_lib.sh'
PATH = '/usr/local/lib/magnum-lite/boot_lib.sh'


@functools.cache
def text() -> str:
    """The library."""
    return importlib.resources.files('magnum_lite.driver_sdk').joinpath(LIBRARY).read_text('utf-8')


def files() -> dict[str, str]:
    """It, as a part of the files of a stack."""
    return {LIBRARY: text()}
