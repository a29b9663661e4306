"""Node images of one state directory: a tree of files each, and layers of programs over it."""

import contextlib
import dataclasses
import fcntl
import json
import pathlib
import shutil
import time
from collections.abc import Iterator

from magnum_lite_dev.nodes import builder, recipe
from magnum_lite_dev.trouble import Trouble

DESCRIPTION = 'image.json'
MOUNTS = pathlib.Path('/proc/mounts')


@dataclasses.dataclass(frozen=True)
class Image:
    """One image.

    :ivar tree: directory of its files; images of one recipe share it.
    :ivar layers: directories that are laid over it, the uppermost first.
    :ivar digest: of the recipe that made the tree.
    """

    name: str
    recipe: str
    digest: str
    tree: str
    layers: list[str]
    properties: dict[str, str]
    mib: int
    built_at: float

    @property
    def directories(self) -> list[str]:
        """What a node boots from, the uppermost first."""
        return [*self.layers, self.tree]

    @property
    def trouble(self) -> str | None:
        """Why no node can boot from it; None when one can."""
        gone = [path for path in self.directories if not pathlib.Path(path).is_dir()]
        return f'gone: {", ".join(gone)}' if gone else None


class Images:
    """The images in a directory.

    :param directory: made by the first build.
    """

    def __init__(self, directory) -> None:
        self.directory = pathlib.Path(directory).resolve()

    def list(self) -> list[Image]:
        """All of them, by name."""
        found = []
        for path in sorted(self.directory.glob(f'*/{DESCRIPTION}')):
            with contextlib.suppress(OSError, ValueError, TypeError):
                found.append(Image(**json.loads(path.read_text())))
        return found

    def get(self, name) -> Image:
        """The image of that name.

        :raises Trouble: there is none, or it cannot be booted.
        """
        for image in self.list():
            if image.name == name:
                if image.trouble:
                    raise Trouble(f'the image {name} cannot be used: {image.trouble}')
                return image
        raise Trouble(
            f'there is no image {name} in {self.directory}: "magnum-lite-dev image build" makes one'
        )

    def build(self, wanted, tell, *, name=None, layers=(), mirror=None) -> Image:
        """The image, made of the recipe unless its tree is there already.

        :param wanted: :class:`~magnum_lite_dev.nodes.recipe.Recipe`.
        :param tell: called with each step as text.
        :param name: of the image; that of the recipe unless given.
        :param layers: directories to lay over it, the uppermost first.
        :raises Trouble: the builder's own words; a layer that is not there; servers run from it.
        """
        name = name or wanted.name
        layers = [str(_layer(path)) for path in layers]
        _check_name(name)
        with self._locked():
            tree = self.directory / f'tree-{wanted.name}-{wanted.digest[:12]}'
            if not (tree / builder.FINISHED).exists():
                builder.build(wanted, tree, tell, mirror=mirror)
            told = json.loads((tree / builder.FINISHED).read_text())
            image = Image(
                name=name,
                recipe=wanted.name,
                digest=wanted.digest,
                tree=str(tree / 'root'),
                layers=layers,
                properties=wanted.properties,
                mib=told['mib'],
                built_at=told['built_at'],
            )
            self._write(image)
            self._sweep()
        return image

    def remove(self, name) -> None:
        """Forget an image, and delete its tree when no other image has it.

        :raises Trouble: there is none; servers run from it.
        """
        with self._locked():
            image = next((each for each in self.list() if each.name == name), None)
            if image is None:
                raise Trouble(f'there is no image {name} in {self.directory}')
            shared = any(each.tree == image.tree for each in self.list() if each.name != name)
            if not shared and _is_mounted(image.tree):
                raise Trouble(f'servers run from the image {name}: delete them first')
            shutil.rmtree(self.directory / name)
            self._sweep()

    def _write(self, image) -> None:
        path = self.directory / image.name / DESCRIPTION
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_suffix('.new')
        fresh.write_text(json.dumps(dataclasses.asdict(image), indent=2))
        fresh.replace(path)

    def _sweep(self) -> None:
        """Delete trees that no image has and no server runs from."""
        wanted = {pathlib.Path(image.tree).parent for image in self.list()}
        for path in self.directory.glob('tree-*'):
            if path not in wanted and not _is_mounted(path):
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / 'lock').open('w') as file:
            # Who waits finds the image made.
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def age(image) -> str:
    """How long ago the tree of an image was built."""
    hours = (time.time() - image.built_at) / 3600
    return (
        f'{hours * 60:.0f} min' if hours < 1 else f'{hours:.0f} h' if hours < 48 else _days(hours)
    )


def is_outdated(image) -> bool:
    """Whether its recipe has changed since; one that came from another file has not."""
    try:
        return recipe.read(image.recipe).digest != image.digest
    except Trouble:
        return False


def _days(hours) -> str:
    return f'{hours / 24:.0f} d'


def _layer(path) -> pathlib.Path:
    path = pathlib.Path(path).resolve()
    if not path.is_dir():
        raise Trouble(f'there is no layer {path}')
    if set(':,\\') & set(str(path)):
        raise Trouble(f'a layer has no ":", "," nor "\\" in its path: {path}')
    return path


def _check_name(name) -> None:
    if not name.replace('-', '').replace('.', '').isalnum() or name.startswith(('.', 'tree-')):
        raise Trouble(f'{name} is no name of an image: letters, digits, "-" and "."')


def _is_mounted(path) -> bool:
    return any(f'{path}' in line for line in MOUNTS.read_text().splitlines())
