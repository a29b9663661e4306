"""The service behind a real Keystone, with a real Heat that asks the same one."""

import configparser
import contextlib
import itertools

import pytest

from magnum_lite_dev.keystone_heat import running_keystone_heat
from magnum_lite_dev.rig.production import deployment
from tests import fixtures
from tests.somebody import Tenant

_NUMBERS = itertools.count(1)


@pytest.fixture(scope='session')
def keystone_heat(tmp_path_factory):
    """(Keystone, Heat); clusters have a Kubernetes API that answers."""
    with running_keystone_heat(tmp_path_factory.mktemp('cloud'), loopback=True) as running:
        yield running


@pytest.fixture(scope='session')
def keystone_service(tmp_path_factory, keystone_heat):
    """One API worker and one conductor of that Keystone, on SQLite and without a broker."""
    keystone, heat = keystone_heat
    path = tmp_path_factory.mktemp('service')
    with deployment(
        path,
        heat,
        keystone=keystone,
        database=f'sqlite:///{path}/service.sqlite',
        conductors=1,
        api_workers=1,
        lease_s=60,
    ) as service:
        keystone.endpoints({'container-infra': f'{service.url}/v1'})
        yield service


@pytest.fixture
def keystone(keystone_heat):
    """The Keystone."""
    return keystone_heat[0]


@pytest.fixture
def project(keystone):
    """Name of a project that nothing else uses."""
    name = f'project-{next(_NUMBERS)}'
    keystone.project(name)
    return name


@pytest.fixture
def tenants(keystone_service):
    """A function that makes a user with some roles in a project, and gives its client."""

    def make(name, project, *roles):
        name = f'{name}-{project}'
        keystone_service.keystone.user(name, project, *roles)
        return Tenant(keystone_service, name, project)

    return make


@pytest.fixture
def make_conf(keystone_heat, tmp_path):
    """A function that gives a configuration behind Keystone, with options as ``fixtures``."""
    keystone = keystone_heat[0]
    options = configparser.ConfigParser(interpolation=None)
    options.read_string(keystone.service_options())
    behind = {name: dict(options[name]) for name in options.sections()}
    yield lambda **groups: fixtures.make_conf(
        tmp_path,
        **{name: {**behind.get(name, {}), **groups.get(name, {})} for name in {*behind, *groups}},
    )
    fixtures.forget_conf()


@pytest.fixture
def make_api(make_conf):
    """A function that gives the service in this process, with options as ``make_conf``."""
    with contextlib.ExitStack() as started:
        yield lambda **groups: started.enter_context(fixtures.service(make_conf(**groups)))


@pytest.fixture
def token(keystone):
    """A function that makes a user with some roles in a project, and gives its token."""

    def make(name, project, *roles):
        keystone.user(name, project, *roles)
        return keystone.session(name, project).get_token()

    return make
