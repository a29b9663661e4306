"""Where drivers build: Heat by its word, another by an object, or one of which nothing is known."""

import ast
import dataclasses
import pathlib

import pytest

from magnum_lite import conductor, db
from magnum_lite.conductor.backends import Backends, enrols
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.registry import BadDriver, Registry
from magnum_lite.driver_sdk.backend import Backend
from magnum_lite_dev.rig.tiny import Tiny
from tests.fixtures import forget_conf, make_conf

# What only a driver of Heat's, and the backend Heat, may ask the SDK for.
HEATS = {'Heat', 'HeatDriver', 'Output', 'Stack', 'StackView', 'heat', 'lost', 'stacks', 'tags'}


class Elsewhere(Tiny):
    """Says nothing of where it builds."""

    name = 'elsewhere'
    backend = Backend()


class Lost(Tiny):
    """Names a backend that the service does not have."""

    name = 'lost'
    backend = 'moon'


@pytest.fixture
def conf(tmp_path):
    """A service."""
    yield make_conf(tmp_path)
    forget_conf()


def _backends(conf, *drivers):
    return Backends(conf, Registry({driver.name: driver for driver in drivers}), Clients(conf))


def test_drivers_share_a_backend_and_each_is_named_once(conf):
    backends = _backends(conf, Tiny(), Elsewhere())
    heat, other = list(backends)
    assert (heat.title, other) == ('Heat', Elsewhere.backend)
    assert backends.named('tiny') is heat and backends.named('elsewhere') is other
    assert backends.named('not here') is None


def test_a_driver_whose_backend_nobody_has_is_refused(conf):
    with pytest.raises(BadDriver, match="lost: backend 'moon' is none of heat"):
        _backends(conf, Lost())


@dataclasses.dataclass
class Equal(Backend):
    """Of which one may equal another: it has no hash."""

    folder: str = ''


@pytest.mark.parametrize(
    'backend', [None, Backend, 7, Equal()], ids=['None', 'a class', 'a number', 'without a hash']
)
def test_a_backend_that_is_none_is_refused(conf, backend):
    driver = Elsewhere()
    driver.backend = backend
    with pytest.raises(BadDriver, match='elsewhere: backend .* (is no Backend|has no hash)'):
        _backends(conf, driver)


def test_nodes_that_no_backend_knows_are_given_no_address_to_fetch_secrets(conf):
    conf.set_override('enabled', True, 'enrolment')
    backends = _backends(conf, Elsewhere())
    assert enrols(conf, Tiny()) and not enrols(conf, Elsewhere())
    assert backends.enrolment_url({'mode': 'none', 'project_id': 'p'}, Elsewhere()) is None


def test_nobody_listens_to_heat_whose_drivers_do_without(conf):
    conf.set_override('listen', True, 'conductor')
    assert [
        found
        for backend in _backends(conf, Elsewhere())
        for found in backend.listeners(lambda cluster: None)
    ] == []


def test_the_conductor_and_its_rows_know_no_stack():
    found = [
        f'{path.name}: {alias.name}'
        for package in (conductor, db)
        for path in pathlib.Path(package.__path__[0]).glob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith('magnum_lite.')
        for alias in node.names
        if alias.name in HEATS and 'driver_sdk' in node.module
    ]
    assert found == []
