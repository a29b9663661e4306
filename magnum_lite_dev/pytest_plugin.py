"""Fixtures for tests against the embedded Heat: one process a session, a project for each test.

``MAGNUM_LITE_TEST_HEAT_PYTHON`` names an interpreter in whose environment Heat is installed;
without it, it is the one that runs the tests.
"""

import importlib.util
import os
import sys
import types
import uuid
import warnings

import pytest

from magnum_lite_dev.fixture import running_heat

TIMEOUT_S = 60


@pytest.fixture(scope='session')
def embedded_heat(tmp_path_factory):
    """A :class:`magnum_lite_dev.fixture.RunningHeat` for the whole session."""
    python = os.environ.get('MAGNUM_LITE_TEST_HEAT_PYTHON', sys.executable)
    if python == sys.executable and importlib.util.find_spec('heat') is None:
        reason = 'openstack-heat is not installed: pip install magnum-lite[embedded]'
        if os.environ.get('MAGNUM_LITE_CI') == '1' or os.environ.get('CI') == 'true':
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with running_heat(tmp_path_factory.mktemp('heat'), build_seconds=0, python=python) as heat:
        yield heat


@pytest.fixture
def real_cloud(embedded_heat):
    """A ``driver_sdk`` Cloud in a project that nothing else uses, with a network ``private``."""
    # Not at the top: a test of the simulated cloud alone does without the service.
    # What its libraries say of each other is no failure of a driver whose warnings are errors.
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        from oslo_config import cfg

        from magnum_lite import conf as options
        from magnum_lite.cloud import heat, identity

    conf = cfg.ConfigOpts()
    options.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    conf.set_override('catalog', embedded_heat.catalog, 'development')
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
    yield types.SimpleNamespace(heat=heat.Heat(conf, session))
    embedded_heat.clear_faults()


@pytest.fixture
def user_data(embedded_heat):
    """A function that gives {server name: text of its user data} of all servers there are."""

    def look():
        return {
            row['name']: row['_user_data']
            for row in embedded_heat.state().get('servers', {}).values()
        }

    return look
