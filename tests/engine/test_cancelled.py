"""What waits behind a running change and is taken back, or goes on after a rollback."""

import pytest

from magnum_lite.conductor import resolve
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, queue, settle
from magnum_lite_dev.rig.tiny import Tiny

MOST_STEPS = 30


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def run(conf, database, tenant):
    """Takes the steps of an operation until it ends; the operation then."""
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='w')

    def take(operation):
        for _ in range(MOST_STEPS):
            if tenant.operation(operation.uuid).ended_at:
                return tenant.operation(operation.uuid)
            manager.claim(operation.uuid)
            manager.step(operation.uuid)
        raise AssertionError(tenant.operation(operation.uuid).progress)

    return take


def test_nothing_is_made_of_a_group_that_is_deleted_before_its_turn(tenant, heat, run):
    create = run(tenant.create())
    worker = tenant.groups(create.cluster_id)['default-worker']
    upgrade = tenant.whole(
        create.cluster_id, 'upgrade', groups={worker.uuid: {'generation': worker.generation + 1}}
    )
    tenant.add_group(create.cluster_id, 'more', nodes=20)
    group = tenant.groups(create.cluster_id)['more']
    delete = tenant.remove_group(create.cluster_id, 'more')
    assert run(upgrade).state == 'DONE'
    assert not [name for name in heat.made if group.uuid[:8] in name]
    assert run(delete).state == 'DONE'
    assert 'more' not in tenant.groups(create.cluster_id)
    assert not [name for name in heat.made if group.uuid[:8] in name]


def test_a_group_that_is_there_stays_until_it_is_the_turn_of_its_deletion(tenant, heat, run):
    create = run(tenant.create())
    run(tenant.add_group(create.cluster_id, 'more'))
    group, worker = (tenant.groups(create.cluster_id)[name] for name in ('more', 'default-worker'))
    upgrade = tenant.whole(
        create.cluster_id, 'upgrade', groups={worker.uuid: {'generation': worker.generation + 1}}
    )
    delete = tenant.remove_group(create.cluster_id, 'more')

    def there():
        return any(
            group.uuid[:8] in view.name for view in heat.list(f'cluster:{create.cluster_id}')
        )

    run(upgrade)
    assert there()
    run(delete)
    assert not there()


def test_a_group_that_is_deleted_before_it_was_resized_is_not_resized(tenant, run):
    create = run(tenant.create())
    run(tenant.add_group(create.cluster_id, 'more'))
    first = tenant.resize(create.cluster_id, 2, name='more')
    tenant.resize(create.cluster_id, 20, name='more')
    tenant.remove_group(create.cluster_id, 'more')
    with tenant.database.read() as connection:
        rows = resolve.read(connection, first)
    assert [group.node_count for group in rows.groups if group.name == 'more'] == [2]
    tenant.database.write(claims.claim, first.uuid, owner='w', lease_s=60)
    tenant.database.write(
        settle.failed, tenant.operation(first.uuid), code='c', text='t', status=None
    )
    assert tenant.groups(create.cluster_id)['more'].node_count == 1


def test_a_change_that_runs_after_a_rollback_is_shown_as_one(tenant, heat, run):
    create = run(tenant.create())
    failing = tenant.resize(create.cluster_id, 3, rollback=True)
    waiting = tenant.add_group(create.cluster_id, 'more')
    heat.fault = lambda method: 1 / 0 if method == 'update' else None
    assert run(failing).state == 'FAILED'
    assert tenant.cluster(create.cluster_id).status == 'ROLLBACK_IN_PROGRESS'
    heat.fault = lambda method: None
    with tenant.database.read() as connection:
        rollback = queue.running(connection, create.cluster_id)
    assert rollback.kind == 'rollback'
    run(rollback)
    assert tenant.cluster(create.cluster_id).status == 'UPDATE_IN_PROGRESS'
    run(waiting)
    assert tenant.cluster(create.cluster_id).status == 'UPDATE_FAILED'  # of the resize
