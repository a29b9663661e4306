"""Which drivers a conductor takes, and the rows by which the API knows them."""

from importlib.metadata import EntryPoint

import pytest
from stevedore import ExtensionManager

from magnum_lite.conductor.registry import NAMESPACE, BadDriver, Registry
from magnum_lite.db import store
from magnum_lite.driver_sdk import CONTRACT
from magnum_lite.objects import DriverVersion
from magnum_lite_dev.rig.tiny import Tiny


class Newer(Tiny):
    """The next release of the package."""

    version = '1.1'


def _rows(database):
    with database.read() as connection:
        return [
            (row.name, row.version, row.plugin_version, row.public)
            for row in store.find(connection, DriverVersion)
        ]


def test_a_driver_is_published_once_and_never_renewed_by_a_start(database):
    assert Registry({'tiny': Tiny()}).publish(database) == ['tiny']
    assert Registry({'tiny': Tiny()}).publish(database) == []
    assert Registry({'tiny': Newer()}).publish(database) == []
    assert _rows(database) == [('tiny', 1, '1.0', True)]


def test_an_operator_makes_the_new_version(database):
    Registry({'tiny': Tiny()}).publish(database)
    assert Registry({'tiny': Newer()}).sync(database) == [('tiny', 2)]
    assert Registry({'tiny': Newer()}).sync(database) == []
    assert _rows(database) == [('tiny', 1, '1.0', True), ('tiny', 2, '1.1', True)]


@pytest.mark.parametrize('contract', [(0, 9), (2, 0), (1, CONTRACT[1] + 1)])
def test_a_driver_for_another_contract_stops_the_conductor(contract):
    foreign = type('Foreign', (Tiny,), {'contract': contract})
    with pytest.raises(BadDriver, match='contract'):
        Registry({'foreign': foreign()})


def test_a_driver_for_an_earlier_contract_is_taken():
    for minor in range(CONTRACT[1] + 1):
        earlier = type('Earlier', (Tiny,), {'contract': (1, minor)})
        assert Registry({'earlier': earlier()}).names()


def test_a_driver_that_is_missing_or_too_old_is_refused_by_name():
    registry = Registry({'tiny': Tiny()})
    assert registry.get('tiny', at_least='1.0').version == '1.0'
    with pytest.raises(BadDriver, match='is 1.0 on this conductor, the cluster needs 1.1'):
        registry.get('tiny', at_least='1.1')
    with pytest.raises(BadDriver, match='acme: is not installed'):
        registry.get('acme')


def test_the_installed_drivers_are_found_by_their_entry_points():
    assert 'kubernetes' in Registry().names()


def test_an_entry_point_that_makes_nothing_is_refused_by_name(monkeypatch):
    void = EntryPoint('void', 'gc:enable', NAMESPACE)
    monkeypatch.setitem(ExtensionManager.ENTRY_POINT_CACHE, NAMESPACE, [void])
    with pytest.raises(BadDriver, match='void: its entry point makes no driver'):
        Registry()
