"""A backend, or what it shows, that breaks a comparison: the others go on."""

import pytest

from magnum_lite.db import store
from magnum_lite.driver_sdk.backend import Backend
from magnum_lite.objects import Cluster
from tests.engine.tenant import Tenant


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


def test_a_health_that_is_reported_during_a_comparison_stays(
    database, tenant, comparing, finish, heat, monkeypatch
):
    create = tenant.create()
    finish(create)
    (name,) = (
        view.id
        for view in heat.list('magnum_lite')
        if view.name.endswith(tenant.groups(create.cluster_id)['default-worker'].uuid[:8])
    )
    heat.delete(name)
    heat.list('magnum_lite')
    comparing.now()
    backend = comparing.backends.named('tiny')
    look = type(backend).look
    reported = {'health_status': 'UNHEALTHY', 'health_status_reason': {'node-0': 'is not ready'}}

    def report(self, who):
        found = look(self, who)
        database.write(store.update, Cluster, reported, uuid=create.cluster_id)
        return found

    def shown():
        found = tenant.cluster(create.cluster_id)
        return found.health_status_reason

    database.write(
        store.update,
        Cluster,
        {'health_status': None, 'health_status_reason': {}},
        uuid=create.cluster_id,
    )
    with monkeypatch.context() as patch:
        patch.setattr(type(backend), 'look', report)
        comparing.now()
    assert shown() == reported['health_status_reason']
    comparing.now()
    assert len(shown()) == 2 and shown()['node-0'] == 'is not ready'


def test_a_comparison_that_breaks_off_keeps_no_other_project_waiting(
    conf, database, tenant, comparing, finish, heat, monkeypatch, caplog
):
    other = Tenant(conf, database, 'other')
    creates = [tenant.create(), other.create()]
    for create in creates:
        finish(create)
    backend = comparing.backends.named('tiny')
    look, asked = type(backend).look, []

    def broken(self, who):
        asked.append(who['project_id'])
        if who['project_id'] == tenant.project:
            raise KeyError('surprise')
        return look(self, who)

    monkeypatch.setattr(type(backend), 'look', broken)
    assert isinstance(backend, Backend)
    comparing.now()
    assert sorted(asked) == sorted([tenant.project, 'other'])
    assert f'No comparison of project {tenant.project}' in caplog.text
    assert 'surprise' in caplog.text and 'Traceback' in caplog.text
