"""Changes of node groups: made in turn, joined where they wait, each failing alone."""

import pytest

from magnum_lite.conductor import resolve
from magnum_lite.db import claims, ledger, settle, store
from magnum_lite.driver_sdk import Status
from magnum_lite.exceptions import BadRequest, Conflict, WrongState
from magnum_lite.objects import ClusterVersion
from tests.engine.conftest import BOTH

pytestmark = BOTH


@pytest.fixture
def cluster(worker, tenant):
    """Uuid of a complete cluster with one worker."""
    create = tenant.create()
    tenant.wait(create)
    return create.cluster_id


def test_a_group_is_made_resized_and_deleted_beside_the_others(tenant, cluster):
    before = tenant.stacks()
    tenant.wait(tenant.add_group(cluster, 'more', nodes=2))
    group = tenant.groups(cluster)['more']
    assert (group.status, len(group.node_addresses)) == ('CREATE_COMPLETE', 2)
    assert group.stack_id and tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    assert len(tenant.stacks()) == len(before) + 1

    tenant.wait(tenant.resize(cluster, 1, name='more'))
    group = tenant.groups(cluster)['more']
    assert (group.status, len(group.node_addresses)) == ('UPDATE_COMPLETE', 1)
    assert tenant.groups(cluster)['default-worker'].status == 'CREATE_COMPLETE'

    tenant.wait(tenant.remove_group(cluster, 'more'))
    assert 'more' not in tenant.groups(cluster) and tenant.stacks() == before
    with tenant.database.read() as connection:
        assert len(ledger.open_entries(connection, cluster)) == len(before)
    tenant.wait(tenant.delete(cluster))
    assert tenant.stacks() == {}


def test_changes_wait_their_turn_and_each_shows_at_once(tenant, cluster):
    first = tenant.add_group(cluster, 'a')
    second = tenant.add_group(cluster, 'b')
    third = tenant.resize(cluster, 2)
    assert [tenant.operation(op.uuid).slot for op in (first, second, third)] == [
        'run',
        f'queue:{second.node_group}',
        f'queue:{third.node_group}',
    ]
    groups = tenant.groups(cluster)
    assert groups['b'].status == 'CREATE_IN_PROGRESS'
    assert (groups['default-worker'].status, groups['default-worker'].node_count) == (
        'UPDATE_IN_PROGRESS',
        2,
    )
    ended = [tenant.wait(op).ended_at for op in (first, second, third)]
    assert ended == sorted(ended)
    assert tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    assert {group.status for group in tenant.groups(cluster).values()} == {
        'CREATE_COMPLETE',
        'UPDATE_COMPLETE',
    }


def test_what_waits_is_not_done_by_what_runs(database, tenant):
    """No worker: what a running operation is given shows it."""
    create = tenant.create()
    _end(database, tenant, create)
    running = tenant.resize(create.cluster_id, 2)
    tenant.add_group(create.cluster_id, 'later')
    tenant.resize(create.cluster_id, 7)
    assert tenant.groups(create.cluster_id)['default-worker'].node_count == 7
    with database.read() as connection:
        rows = resolve.read(connection, tenant.operation(running.uuid))
    assert {group.name: group.node_count for group in rows.groups} == {
        'default-master': 1,
        'default-worker': 2,
    }


def test_waiting_changes_of_one_group_become_one(tenant, cluster, database):
    tenant.add_group(cluster, 'a')
    second = tenant.resize(cluster, 2)
    third = tenant.resize(cluster, 3)
    assert third.uuid == second.uuid
    assert (
        tenant.operation(second.uuid).reason
        == 'resize asked for, the last of 2 changes that were joined into this one'
    )
    tenant.wait(third)
    assert len(tenant.groups(cluster)['default-worker'].node_addresses) == 3
    with database.read() as connection:
        versions = store.rows(connection, ClusterVersion, cluster_id=cluster)
    assert [row.version for row in versions] == [1, 2, 3, 4]


def test_a_failure_takes_back_its_own_change_and_no_other(tenant, cluster, faults):
    """The first fails while the second waits for the same group."""
    faults.fault(kind='http', match='POST /network/v2.0/ports', status=503, message='none left')
    try:
        first = tenant.resize(cluster, 2)
        tenant.wait_for(first, lambda now: now.state == 'WAITING')
        second = tenant.resize(cluster, 3)
        tenant.wait(first, 'FAILED')
        assert tenant.groups(cluster)['default-worker'].node_count == 3
        assert tenant.cluster(cluster).status == 'UPDATE_IN_PROGRESS'
        tenant.wait(second, 'FAILED')
    finally:
        faults.clear_faults()
    group = tenant.groups(cluster)['default-worker']
    assert (group.node_count, group.status) == (1, 'UPDATE_FAILED')
    assert tenant.cluster(cluster).status == 'UPDATE_FAILED'


def test_a_cluster_tells_of_a_failure_until_the_next_change(tenant, cluster, faults):
    faults.fault(kind='http', match='POST /network/v2.0/ports', status=503, message='none left')
    failing = tenant.add_group(cluster, 'broken')
    tenant.wait_for(failing, lambda now: now.state == 'WAITING')
    shrink = tenant.resize(cluster, 0)
    tenant.wait(failing, 'FAILED')
    faults.clear_faults()
    tenant.wait(shrink)
    found = tenant.cluster(cluster)
    assert found.status == 'UPDATE_FAILED' and 'none left' in found.status_reason
    assert tenant.groups(cluster)['broken'].status == 'CREATE_FAILED'
    assert tenant.groups(cluster)['default-worker'].status == 'UPDATE_COMPLETE'

    # A broken group does not stand in the way of the others, and goes when it is told to.
    tenant.wait(tenant.resize(cluster, 1))
    assert tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    assert tenant.groups(cluster)['broken'].status == 'CREATE_FAILED'
    tenant.wait(tenant.remove_group(cluster, 'broken'))
    assert 'broken' not in tenant.groups(cluster)
    assert set(tenant.stacks().values()) == {'CREATE_COMPLETE', 'UPDATE_COMPLETE'}


def test_a_deletion_cancels_what_waits_for_its_group(tenant, cluster):
    tenant.add_group(cluster, 'a')
    waiting = tenant.add_group(cluster, 'b')
    delete = tenant.remove_group(cluster, 'b')
    assert tenant.operation(waiting.uuid).state == 'CANCELLED'
    assert tenant.remove_group(cluster, 'b') is None
    with pytest.raises(BadRequest):
        tenant.resize(cluster, 2, name='b')
    tenant.wait(delete)
    assert set(tenant.groups(cluster)) == {'default-master', 'default-worker', 'a'}


def test_the_deletion_of_the_cluster_cancels_all_that_waits(tenant, cluster):
    running = tenant.add_group(cluster, 'a', nodes=3)
    waiting = tenant.add_group(cluster, 'b')
    delete = tenant.delete(cluster)
    tenant.wait(delete)
    assert tenant.operation(waiting.uuid).state == 'CANCELLED'
    assert tenant.operation(running.uuid).state in ('SUPERSEDED', 'CANCELLED')
    assert tenant.stacks() == {}


def test_a_name_that_is_taken_leaves_nothing_behind(tenant, cluster):
    with pytest.raises(Conflict):
        tenant.add_group(cluster, 'default-worker')
    assert tenant.cluster(cluster).status == 'CREATE_COMPLETE'


def test_nothing_is_accepted_once_the_cluster_is_to_be_deleted(database, tenant):
    create = tenant.create()
    tenant.delete(create.cluster_id)
    for change in (
        lambda: tenant.add_group(create.cluster_id, 'a'),
        lambda: tenant.resize(create.cluster_id, 2),
        lambda: tenant.add_group(create.cluster_id, 'b'),
    ):
        with pytest.raises(WrongState):
            change()
    assert tenant.cluster(create.cluster_id).status == 'DELETE_IN_PROGRESS'


def _end(database, tenant, operation):
    database.write(claims.claim, operation.uuid, owner='w', lease_s=30)
    database.write(settle.done, tenant.operation(operation.uuid), Status('COMPLETE'))
