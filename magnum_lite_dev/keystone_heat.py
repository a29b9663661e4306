"""A real Heat with its simulated cloud behind a real Keystone."""

import contextlib
import pathlib
from collections.abc import Iterator

from magnum_lite_dev.fixture import RunningHeat, running_heat
from magnum_lite_dev.keystone_process import RunningKeystone, running_keystone


@contextlib.contextmanager
def running_keystone_heat(
    state, *, token_s=3600, **heat_options
) -> Iterator[tuple[RunningKeystone, RunningHeat]]:
    """Start a Keystone and a Heat behind it, and stop both at the end.

    Heat and the simulated cloud stand in Keystone's catalog.

    :param state: an empty directory.
    :param token_s: seconds that a token is valid.
    :param heat_options: see :func:`~magnum_lite_dev.fixture.running_heat`.
    :returns: context manager with (:class:`~magnum_lite_dev.keystone_process.RunningKeystone`,
        :class:`~magnum_lite_dev.fixture.RunningHeat`).
    """
    state = pathlib.Path(state)
    with (
        running_keystone(state / 'keystone', token_s=token_s) as keystone,
        running_heat(state / 'heat', keystone_url=keystone.url, **heat_options) as heat,
    ):
        # Heat asks for block storage under its older name.
        keystone.endpoints({**heat.catalog, 'volumev3': heat.catalog['block-storage']})
        yield keystone, heat
