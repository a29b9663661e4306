"""Clusters at rest are compared with what Heat has."""

import datetime

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import journal, ledger, store
from magnum_lite.db.tables import clusters, operations, usages
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.objects import Cluster
from magnum_lite_dev.rig.tiny import Tiny


def _health(tenant, operation):
    cluster = tenant.cluster(operation.cluster_id)
    return cluster.health_status, cluster.health_status_reason


def _notes(database, tenant, operation):
    with database.read() as connection:
        return [step.text for step in journal.steps_of(connection, operation.uuid)]


def _stack(tenant, end):
    return next(view for view in tenant.heat.list('magnum_lite') if view.name.endswith(end))


def _lose(tenant, view):
    tenant.heat.delete(view.id)
    while tenant.heat.get(view.id):
        pass


def test_a_deleted_stack_is_seen_once_and_made_again_by_the_next_change(
    database, tenant, comparing, finish
):
    create = tenant.create()
    finish(create)
    comparing.now()
    assert _health(tenant, create) == (None, {})
    group = tenant.groups(create.cluster_id)['default-worker']
    _lose(tenant, _stack(tenant, group.uuid[:8]))
    for _ in range(2):
        comparing.now()
    name = f'stack tiny-{create.cluster_id}-{group.uuid[:8]}'
    assert _health(tenant, create) == ('UNHEALTHY', {name: 'is gone'})
    assert [text for text in _notes(database, tenant, create) if 'differs' in text] == [
        f'The cloud differs from what the last change left: {name} is gone'
    ]
    resize = tenant.resize(create.cluster_id, 1)
    finish(resize)
    comparing.now()
    assert sorted(tenant.stacks().values()) == ['CREATE_COMPLETE'] * 2
    assert _health(tenant, create) == (None, {})
    assert _notes(database, tenant, resize)[-1] == 'The cloud is as the last change left it'


def test_a_deleted_control_plane_is_seen(tenant, comparing, finish):
    create = tenant.create(nodes=0)
    finish(create)
    _lose(tenant, _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8]))
    _lose(tenant, _stack(tenant, create.cluster_id))
    comparing.now()
    status, reason = _health(tenant, create)
    assert (status, reason[f'stack tiny-{create.cluster_id}']) == ('UNHEALTHY', 'is gone')


def test_a_control_plane_whose_stack_cannot_go_is_told_of_and_made_again_when_it_is_gone(
    conf, tenant, comparing, finish
):
    create = tenant.create()
    finish(create)
    base = _stack(tenant, create.cluster_id)
    workers = _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8])
    tenant.heat.delete(base.id)
    while tenant.heat.get(base.id).status != 'DELETE_FAILED':  # its network has the workers' ports
        pass
    comparing.now()
    assert _health(tenant, create)[1][f'stack {base.name}'].startswith('is DELETE_FAILED')
    conf.set_override('trouble_s', 2, 'conductor')
    resize = tenant.resize(create.cluster_id, 2)
    finish(resize, 'FAILED')
    assert f'stack {base.name} is DELETE_FAILED' in tenant.operation(resize.uuid).error_text
    conf.clear_override('trouble_s', 'conductor')
    _lose(tenant, workers)
    finish(tenant.resize(create.cluster_id, 2))
    comparing.now()
    assert _health(tenant, create) == (None, {})
    assert tenant.stacks() == dict.fromkeys((base.name, workers.name), 'CREATE_COMPLETE')


def test_what_others_report_stays_beside_it(database, tenant, comparing, finish):
    create = tenant.create()
    finish(create)
    report = {'health_status': 'HEALTHY', 'health_status_reason': {'api': 'ok'}}
    database.write(store.update, Cluster, report, uuid=create.cluster_id)
    comparing.now()
    assert _health(tenant, create) == ('HEALTHY', {'api': 'ok'})
    lost = _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8])
    _lose(tenant, lost)
    comparing.now()
    assert _health(tenant, create) == ('UNHEALTHY', {'api': 'ok', f'stack {lost.name}': 'is gone'})
    finish(tenant.resize(create.cluster_id, 1))
    comparing.now()
    assert _health(tenant, create) == ('UNKNOWN', {'api': 'ok'})


def test_a_heat_that_does_not_answer_or_contradicts_itself_changes_nothing(
    tenant, comparing, finish, monkeypatch
):
    create = tenant.create()
    finish(create)
    heat = comparing.heat(tenant.who)

    def away(tag):
        raise CloudUnavailable('Heat answered 503')

    for answer in (away, lambda tag: []):
        monkeypatch.setattr(heat, 'list', answer)
        comparing.now()
        assert _health(tenant, create) == (None, {})


def test_a_cluster_under_change_is_left_alone(tenant, comparing, finish):
    create = tenant.create()
    finish(create)
    _lose(tenant, _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8]))
    tenant.resize(create.cluster_id, 1)
    comparing.now()
    assert (_health(tenant, create), comparing.lists) == ((None, {}), [])


def test_a_change_that_comes_first_wins(database, tenant, comparing, finish, monkeypatch):
    create = tenant.create()
    finish(create)
    _lose(tenant, _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8]))
    show = comparing.loop._show

    def late(*args):
        finish(tenant.resize(create.cluster_id, 1))
        show(*args)

    monkeypatch.setattr(comparing.loop, '_show', late)
    comparing.now()
    assert _health(tenant, create) == (None, {})


def test_what_a_conductor_of_release_1_0_changed_is_no_difference(
    tenant, comparing, finish, monkeypatch
):
    create = tenant.create()
    finish(create)
    with monkeypatch.context() as older:  # it knows nothing of what was left
        older.setattr(ledger, 'left', lambda *args: None)
        finish(tenant.resize(create.cluster_id, 2))
    comparing.now()
    assert _health(tenant, create) == (None, {})


def test_a_project_costs_one_list_and_few_statements_whatever_it_has(
    conf, database, tenant, comparing, finish
):
    first = tenant.create(nodes=0)
    finish(first)

    def copy(connection):
        row = connection.execute(sa.select(clusters)).one()._asdict()
        for number in range(200):
            uuid = f'{number:08}-0000-0000-0000-000000000000'
            connection.execute(clusters.insert().values({**row, 'id': None, 'uuid': uuid}))

    database.write(copy)
    comparing.due()
    statements = []
    sa.event.listen(
        database.engine, 'before_cursor_execute', lambda *args: statements.append(args[2])
    )
    assert comparing.loop.one()
    assert comparing.lists == ['magnum_lite']
    asked = [text for text in statements if not text.startswith('BEGIN')]
    assert len(asked) == 5, asked  # whose turn it is, its claim, clusters, stacks, groups


def test_projects_that_came_together_are_compared_apart_and_by_one_worker_each(
    conf, database, comparing, monkeypatch
):
    conf.set_override('compare_s', 24 * 3600, 'conductor')  # no turn comes while this runs

    def add(connection):
        connection.execute(
            usages.insert(),
            [
                {'project_id': str(number), 'resource': 'Cluster', 'in_use': 1}
                for number in range(50)
            ],
        )

    database.write(add)
    compared = []
    workers = [
        Compare(conf, database, Registry({'tiny': Tiny()}), comparing.backends) for _ in range(3)
    ]
    for worker in workers:
        monkeypatch.setattr(worker, '_project', compared.append)
    while any([worker.one() for worker in workers]):
        pass
    assert compared == []  # the first turn of each comes later
    with database.read() as connection:
        moments = connection.execute(sa.select(usages.c.compare_at)).scalars().all()
    assert max(moments) - min(moments) > datetime.timedelta(seconds=conf.conductor.compare_s / 3)
    comparing.due()
    while any([worker.one() for worker in workers]):
        pass
    assert sorted(compared, key=int) == [str(number) for number in range(50)]


@pytest.fixture
def quick(conf):
    """Compare often."""
    conf.set_override('compare_s', 1, 'conductor')


def test_a_worker_compares_by_itself(quick, worker, tenant):
    create = tenant.create()
    tenant.wait(create)
    _lose(tenant, _stack(tenant, tenant.groups(create.cluster_id)['default-worker'].uuid[:8]))
    tenant.wait_for(create, lambda now: tenant.cluster(create.cluster_id).health_status)
    with tenant.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count(operations.c.id))).scalar() == 1
