"""What one accepted change adds to the database: as much as any other, however many came before."""

import pytest
import sqlalchemy as sa

from magnum_lite.db import store, tables
from magnum_lite.objects import Cluster, ClusterVersion, NodeGroup
from tests import fixtures

CHANGE_BYTES = 4000


@pytest.fixture
def api(configured):
    """A service that nobody works for."""
    with configured() as running:
        running.db.write(
            store.insert,
            fixtures.driver_row(version=2, capabilities=['scale_manager', 'update', 'upgrade']),
        )
        yield running


@pytest.fixture
def cluster(api):
    """Uuid of a complete cluster."""
    uuid = api.cluster(api.template())
    api.settle(uuid)
    return uuid


def size(api):
    """Bytes of all rows, as JSON would have them or longer."""
    with api.db.read() as connection:
        return sum(
            len(str(value))
            for table in tables.METADATA.sorted_tables
            for row in connection.execute(sa.select(table))
            for value in row
        )


def growth(api, change, times=40):
    """``[bytes that each of some changes added]``; ``change`` is called with their numbers."""
    sizes = [size(api)]
    for number in range(times):
        change(number)
        sizes.append(size(api))
    return [after - before for before, after in zip(sizes, sizes[1:], strict=False)]


def versions(api, cluster):
    with api.db.read() as connection:
        return store.find(connection, ClusterVersion, cluster_id=cluster)


def test_each_change_that_joins_adds_the_same(api, cluster):
    def resize(number):
        api.ok(
            'POST',
            f'/v1/clusters/{cluster}/actions/resize',
            {'node_count': 10 + number % 5, 'nodes_to_remove': ['7']},
        )

    added = growth(api, resize, 200)
    assert max(added[-100:]) <= CHANGE_BYTES and max(added[-50:]) <= max(added[2:50]) + 50
    operations = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations']
    assert len(operations) == 3
    assert (
        operations[-1]['reason'] == 'node_count 14 of default-worker, the last of 199 changes '
        'that were joined into this one'
    )
    assert len(api.ok('GET', f'/v1/clusters/{cluster}')['version_reason']) < 100


def test_each_node_group_adds_the_same(api, cluster):
    def make(number):
        api.ok('POST', f'/v1/clusters/{cluster}/nodegroups', {'name': f'group-{number:03}'})

    added = growth(api, make)
    assert max(added[-10:]) <= max(added[1:11]) + 50 and max(added) <= 2 * CHANGE_BYTES


def test_a_resize_in_a_cluster_of_many_groups_adds_no_more(api, cluster):
    for number in range(40):
        api.ok('POST', f'/v1/clusters/{cluster}/nodegroups', {'name': f'group-{number:03}'})
        api.settle(cluster)
    assert (
        max(
            growth(
                api,
                lambda number: api.ok(
                    'POST',
                    f'/v1/clusters/{cluster}/actions/resize',
                    {'node_count': number, 'nodegroup': f'group-{number:03}'},
                ),
            )
        )
        <= CHANGE_BYTES
    )


def test_the_versions_of_a_cluster_say_together_what_it_is(api, cluster):
    path = f'/v1/clusters/{cluster}'
    api.ok('POST', f'{path}/nodegroups', {'name': 'more', 'node_count': 2})
    gone = api.ok('POST', f'{path}/nodegroups', {'name': 'gone'})['uuid']
    api.ok('POST', f'{path}/actions/resize', {'node_count': 4, 'nodegroup': 'more'})
    api.ok('POST', f'{path}/actions/resize', {'node_count': 5, 'nodegroup': 'more'})
    api.settle(cluster)
    api.call('DELETE', f'{path}/nodegroups/{gone}')
    found = versions(api, cluster)
    assert [entry.version for entry in found] == [1, 2, 3, 4, 5, 6]
    groups = {}
    for entry in found:
        for uuid, values in entry.snapshot['groups'].items():
            groups[uuid] = values and {**groups.get(uuid, {}), **values}
    with api.db.read() as connection:
        rows = store.find(connection, NodeGroup, cluster_id=cluster)
        name = store.get(connection, Cluster, cluster).name
    assert found[0].snapshot['cluster']['name'] == name
    assert {uuid: values and values['node_count'] for uuid, values in groups.items()} == {
        row.uuid: None if row.uuid == gone else row.node_count for row in rows
    }


def test_the_nodes_to_remove_of_changes_that_join_are_limited(api, cluster):
    def remove(first):
        return {'node_count': 3, 'nodes_to_remove': [f'n{first + i}' for i in range(500)]}

    path = f'/v1/clusters/{cluster}/actions/resize'
    for first in (0, 500, 1000, 500):
        api.ok('POST', path, remove(first))
    error = api.refused(400, 'POST', path, remove(2000))
    assert 'name 1500 nodes to remove, at most 1000' in error['detail']
    for bad in (['x'] * 1001, ['x' * 256]):
        error = api.refused(400, 'POST', path, {'node_count': 3, 'nodes_to_remove': bad})
        assert 'nodes_to_remove' in error['detail'] and 'at most 1000 strings' in error['detail']
