"""A whole cloud for a test whose servers boot: the real Heat, its cloud, and an image."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

from magnum_lite_dev.fixture import RunningHeat, running_heat
from magnum_lite_dev.nodes import image, recipe

VARIABLE = 'MAGNUM_LITE_TEST_IMAGES'


def test_images() -> image.Images:
    """Where images of tests are kept from one run to the next."""
    default = pathlib.Path(tempfile.gettempdir()) / 'magnum-lite-images'
    return image.Images(os.environ.get(VARIABLE) or default)


def built_images(name) -> image.Images:
    """The images of tests with this one among them, a minute where no run before made it."""
    images = test_images()
    images.build(recipe.read(name), print)
    return images


@contextlib.contextmanager
def running_cloud(
    state, *, nodes='simulated', image='swarm', layers=(), also=None, **options
) -> Iterator[RunningHeat]:
    """Start a Heat with its cloud, stopped at the end with all that it made.

    :param nodes: ``real`` boots the servers of an image, ``simulated`` boots none.
    :param image: of the cloud, and the recipe it is made of, a minute where no run before made it.
    :param layers: directories that lie over it, the uppermost first.
    :param also: {name: layers} of further images with the same tree.
    :param options: of :func:`~magnum_lite_dev.fixture.running_heat`.
    :returns: context manager with a :class:`~magnum_lite_dev.fixture.RunningHeat`.
    """
    if nodes not in ('real', 'simulated'):
        raise ValueError(f'nodes are real or simulated, not {nodes}')
    if nodes == 'simulated':
        with running_heat(state, **options) as heat:
            yield heat
        return
    made = built_images(image).get(image)
    with running_heat(state, boots=True, **options) as heat:
        for name, over in {image: layers, **(also or {})}.items():
            heat.add_image(name, [*over, made.tree], **made.properties)
        yield heat
