"""Heat goes on after an operation has failed: the rows learn of it, and a change converges."""

import pytest

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import journal, store
from magnum_lite.db.engine import now
from magnum_lite.exceptions import NotFound, WrongState
from magnum_lite.objects import NodeGroup, Operation
from magnum_lite_dev.rig.tiny import Tiny


@pytest.fixture
def give_up(conf, database, tenant):
    """Takes steps of an operation while a condition holds, then lets its deadline pass."""
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')

    def run(operation, condition):
        assert manager.claim(operation.uuid)
        while condition(len(tenant.stacks())):
            manager.step(operation.uuid)
        database.write(store.update, Operation, {'deadline_at': now(-1)}, uuid=operation.uuid)
        manager.step(operation.uuid)
        assert tenant.operation(operation.uuid).error_code == 'timeout'
        while not all(status.endswith('_COMPLETE') for status in tenant.stacks().values()):
            pass

    return run


def _notes(database, operation):
    with database.read() as connection:
        return [step.text for step in journal.steps_of(connection, operation.uuid)]


def test_a_creation_that_heat_completed_after_its_deadline_is_complete(
    database, tenant, comparing, give_up
):
    create = tenant.create(nodes=2)
    give_up(create, lambda stacks: stacks < 2)
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'CREATE_FAILED'
    comparing.now()
    cluster, groups = tenant.cluster(create.cluster_id), tenant.groups(create.cluster_id)
    assert (cluster.status, cluster.status_reason) == ('CREATE_COMPLETE', None)
    assert cluster.api_address and {group.status for group in groups.values()} == {
        'CREATE_COMPLETE'
    }
    assert len(groups['default-worker'].node_addresses) == 2
    assert 'the cluster is CREATE_COMPLETE' in _notes(database, create)[-1]
    assert tenant.operation(create.uuid).state == 'FAILED'


def test_a_cluster_of_which_a_part_came_true_is_taken_up_again_by_a_change(
    database, tenant, comparing, finish, give_up
):
    create = tenant.create(nodes=2)
    give_up(create, lambda stacks: stacks < 1)
    # A quick Heat may have completed the base before the last look.
    database.write(
        store.update, NodeGroup, {'status': 'CREATE_FAILED'}, cluster_id=create.cluster_id
    )
    with pytest.raises(WrongState):
        tenant.resize(create.cluster_id, 2)
    comparing.now()
    cluster, groups = tenant.cluster(create.cluster_id), tenant.groups(create.cluster_id)
    assert (cluster.status, groups['default-master'].status, groups['default-worker'].status) == (
        'CREATE_FAILED',
        'CREATE_COMPLETE',
        'CREATE_FAILED',
    )
    finish(tenant.resize(create.cluster_id, 2))
    comparing.now()
    cluster, groups = tenant.cluster(create.cluster_id), tenant.groups(create.cluster_id)
    assert (cluster.status, cluster.health_status) == ('UPDATE_COMPLETE', None)
    assert cluster.api_address and len(groups['default-worker'].node_addresses) == 2
    assert sorted(tenant.stacks().values()) == ['CREATE_COMPLETE'] * 2


def test_what_heat_builds_behind_a_failed_creation_is_seen_and_deleted(
    conf, tenant, comparing, finish, give_up, monkeypatch
):
    create = tenant.create(nodes=1)
    give_up(create, lambda stacks: stacks < 1)
    heat = comparing.heat(tenant.who)
    listing = heat.list
    with monkeypatch.context() as patch:
        patch.setattr(
            heat,
            'list',
            lambda tag: [
                type(view)(view.id, view.name, 'CREATE_IN_PROGRESS', tags=view.tags)
                for view in listing(tag)
            ],
        )
        comparing.now()
    said = 'is CREATE_IN_PROGRESS, though no operation is at work on it'
    assert tenant.cluster(create.cluster_id).health_status_reason == {
        f'stack tiny-{create.cluster_id}': said
    }
    finish(tenant.delete(create.cluster_id))
    with pytest.raises(NotFound):
        tenant.cluster(create.cluster_id)
    assert tenant.stacks() == {}


def test_a_resize_that_heat_completed_after_its_deadline_stays_failed_and_says_what_is_there(
    tenant, comparing, finish, give_up
):
    create = tenant.create(nodes=1)
    finish(create)
    resize = tenant.resize(create.cluster_id, 3)
    steps = iter([True, False])
    give_up(resize, lambda stacks: next(steps))
    comparing.now()
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'UPDATE_FAILED'
    assert list(cluster.health_status_reason.values()) == [
        'was changed by the operation that failed, or after it: it has 3 nodes'
    ]
    assert tenant.groups(create.cluster_id)['default-worker'].node_count == 1
    finish(tenant.resize(create.cluster_id, 3))
    comparing.now()
    cluster = tenant.cluster(create.cluster_id)
    assert (cluster.status, cluster.health_status) == ('UPDATE_COMPLETE', None)
    assert len(tenant.groups(create.cluster_id)['default-worker'].node_addresses) == 3


def test_a_group_that_heat_completed_after_its_deadline_is_complete(
    tenant, comparing, finish, give_up
):
    create = tenant.create(nodes=1)
    finish(create)
    give_up(tenant.add_group(create.cluster_id, 'more'), lambda stacks: stacks < 3)
    assert tenant.groups(create.cluster_id)['more'].status == 'CREATE_FAILED'
    comparing.now()
    assert tenant.groups(create.cluster_id)['more'].status == 'CREATE_COMPLETE'
    assert tenant.cluster(create.cluster_id).status == 'UPDATE_COMPLETE'
