"""What tests of drivers get: a marker, and fixtures for the embedded Heat.

``@pytest.mark.needs('jq', packages=['yaml'])`` names programs and packages of a test. Where one is
not installed the test skips, or fails with ``MAGNUM_LITE_CI=1``.
``@pytest.mark.nodes`` is for tests that boot nodes or make their images: Linux, root, and the
programs of ``magnum_lite_dev/nodes/machine.py``.

Heat is one process a session, with a project for each test.

``MAGNUM_LITE_TEST_HEAT_PYTHON`` names an interpreter in whose environment Heat is installed;
without it, it is the one that runs the tests.
"""

import contextlib
import importlib.util
import os
import sys
import types
import uuid
import warnings
from collections.abc import Callable, Iterator

import pytest

from magnum_lite_dev.fixture import RunningHeat, running_heat
from magnum_lite_dev.nodes import machine
from magnum_lite_dev.rig import booting
from magnum_lite_dev.rig.lack import lack, lacking

TIMEOUT_S = 60


def pytest_configure(config) -> None:
    """Make the markers known."""
    config.addinivalue_line('markers', 'needs(*programs, packages=()): what has to be installed')
    config.addinivalue_line('markers', 'nodes: boots nodes, as root on Linux')


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """Do without a test whose programs are missing, before any fixture wants to run one."""
    if missing := lacking(item.iter_markers('needs')):
        lack(f'not installed: {", ".join(missing)}')
    if item.get_closest_marker('nodes') and (missing := machine.lacks_for_nodes()):
        lack(f'nodes cannot boot here: {"; ".join(missing)}')


@pytest.fixture(scope='session')
def embedded_heat(tmp_path_factory) -> Iterator[RunningHeat]:
    """A :class:`magnum_lite_dev.fixture.RunningHeat` for the whole session."""
    python = os.environ.get('MAGNUM_LITE_TEST_HEAT_PYTHON', sys.executable)
    if python == sys.executable and importlib.util.find_spec('heat') is None:
        reason = 'openstack-heat is not installed: pip install magnum-lite[embedded]'
        lack(reason)
    with running_heat(tmp_path_factory.mktemp('heat'), build_seconds=0, python=python) as heat:
        yield heat


@pytest.fixture(scope='session')
def running_cloud(tmp_path_factory) -> Callable[..., contextlib.AbstractContextManager]:
    """:func:`magnum_lite_dev.rig.booting.running_cloud` in a directory of its own."""
    return lambda **options: booting.running_cloud(tmp_path_factory.mktemp('cloud'), **options)


def cloud_of(heat: RunningHeat) -> types.SimpleNamespace:
    """A ``driver_sdk`` Cloud in a project that nothing else uses, with a network ``private``."""
    # Not at the top: a test of the simulated cloud alone does without the service.
    # What its libraries say of each other is no failure of a driver whose warnings are errors.
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from oslo_config import cfg

        from magnum_lite import conf as options
        from magnum_lite.cloud import identity
        from magnum_lite.cloud.heat import Heat

    conf = cfg.ConfigOpts()
    options.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override('catalog', heat.catalog, 'development')
    session = identity.session(
        conf,
        {
            'mode': 'none',
            'user_id': 'tester',
            'project_id': uuid.uuid4().hex,
            'roles': ['member', 'reader'],
        },
        timeout_s=TIMEOUT_S,
    )
    return types.SimpleNamespace(heat=Heat(conf, session))


@pytest.fixture
def real_cloud(embedded_heat) -> Iterator[types.SimpleNamespace]:
    """:func:`cloud_of` the session's Heat."""
    yield cloud_of(embedded_heat)
    embedded_heat.clear_faults()


@pytest.fixture
def user_data(embedded_heat) -> Callable[[], dict[str, str]]:
    """A function that gives {server name: text of its user data} of all servers there are."""

    def look() -> dict[str, str]:
        return {
            row['name']: row['_user_data']
            for row in embedded_heat.state().get('servers', {}).values()
        }

    return look
