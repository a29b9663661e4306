"""Node groups over REST: what is accepted in which state, and what it shows at once."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import DriverVersion, NodeGroup, Operation

ADMIN = 'root:ops:admin'
BAD = [
    ({'name': 'x', 'role': 'master'}, 400),
    ({}, 400),
    ({'name': None}, 400),
    ({'name': ''}, 400),
    ({'name': 'n' * 256}, 400),
    ({'name': 'x', 'node_count': -1}, 400),
    ({'name': 'x', 'node_count': 2**31}, 400),
    ({'name': 'x', 'stack_id': 's'}, 400),
    ({'name': 'x', 'node_addresses': []}, 400),
    ({'name': 'x', 'nonsense': 1}, 400),
    ({'name': 'x', 'labels': {'kube_tga': 'v1'}}, 400),
    ({'name': 'x', 'labels': {'boot_volume_size': 'big'}}, 400),
    ({'name': 'x', 'flavor_id': 'no-such'}, 400),
    ({'name': 'x', 'image_id': 'no-such'}, 400),
    ({'name': 'x', 'image_id': 'cirros'}, 400),
    ({'name': 'x', 'node_taints': 'gpu'}, 400),
    ({'name': 'x', 'node_taints': ['gpu=a:NoSchedule']}, 400),
    ({'name': 'x', 'node_taints': {'key': 'gpu', 'effect': 'NoSchedule'}}, 400),
    ({'name': 'default-worker'}, 409),
    ({'name': 'x', 'node_count': 1, 'min_node_count': 2}, 409),
    ({'name': 'x', 'node_count': 3, 'max_node_count': 2}, 409),
    ({'name': 'x', 'node_labels': {'kubernetes.io/role': 'a'}}, 409),
    ({'name': 'x', 'node_labels': {'sub.k8s.io/a': 'a'}}, 409),
    ({'name': 'x', 'node_labels': {'-a': 'a'}}, 409),
    ({'name': 'x', 'node_labels': {'a': 'no spaces'}}, 409),
    ({'name': 'x', 'node_labels': {'a': 1}}, 400),
    ({'name': 'x', 'node_taints': [{'key': 'a'}]}, 409),
    ({'name': 'x', 'node_taints': [{'key': 'a', 'effect': 'Never'}]}, 409),
    ({'name': 'x', 'node_taints': [{'key': 'a', 'effect': 'NoExecute', 'why': 'b'}]}, 409),
    ({'name': 'x', 'node_taints': [{'key': ['a'], 'effect': 'NoExecute'}]}, 409),
    ([], 400),
]


@pytest.fixture
def cluster(api):
    """Path of a complete cluster."""
    uuid = api.cluster(api.template(labels={'kube_tag': 'v1.36.1'}))
    api.settle(uuid)
    return f'/v1/clusters/{uuid}'


def kinds(api):
    """[(kind, state)] of all operations."""
    with api.db.read() as connection:
        return [(row.kind, row.state) for row in store.rows(connection, Operation)]


def test_a_group_is_there_before_the_answer(api, cluster):
    made = api.ok(
        'POST',
        f'{cluster}/nodegroups',
        {
            'name': 'gpu',
            'node_count': '2',
            'max_node_count': 4,
            'merge_labels': True,
            'labels': {'availability_zone': 'b', 'example.org/role': 'gpu'},
            'node_labels': {'topology.kubernetes.io/zone': 'b'},
            'node_taints': [{'key': 'gpu', 'effect': 'NoSchedule', 'value': ''}],
        },
    )
    assert made['status'] == 'CREATE_IN_PROGRESS' and made['node_count'] == 2
    assert made['role'] == 'worker' and made['is_default'] is False and made['id']
    assert (made['flavor_id'], made['image_id']) == ('m1.small', 'debian-13')
    assert made['labels_added'] == {'availability_zone': 'b', 'example.org/role': 'gpu'}
    shown = api.ok('GET', f'{cluster}/nodegroups/gpu')
    assert shown == made
    found = api.ok('GET', cluster)
    assert (found['status'], found['node_count']) == ('UPDATE_IN_PROGRESS', 3)


def test_labels_replace_those_of_the_cluster_unless_they_are_merged(api, cluster):
    made = api.ok(
        'POST', f'{cluster}/nodegroups', {'name': 'a', 'labels': {'availability_zone': 'b'}}
    )
    assert made['labels'] == {'availability_zone': 'b'}
    assert made['labels_skipped'] == {'kube_tag': 'v1.36.1'}
    made = api.ok('POST', f'{cluster}/nodegroups', {'name': 'b'})
    assert made['labels'] == {'kube_tag': 'v1.36.1'}


@pytest.mark.parametrize(('body', 'status'), BAD, ids=lambda value: str(value)[:60])
def test_bad_groups_are_refused_and_leave_nothing(api, cluster, body, status):
    error = api.refused(status, 'POST', f'{cluster}/nodegroups', body)
    assert error['title']
    assert len(api.ok('GET', f'{cluster}/nodegroups')['nodegroups']) == 2
    assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'
    assert kinds(api) == [('create', 'DONE')]


def test_the_version_that_brought_groups_is_needed(api, cluster):
    for method, path in (('POST', ''), ('PATCH', '/default-worker'), ('DELETE', '/x')):
        api.refused(
            406, method, f'{cluster}/nodegroups{path}', {'name': 'x'}, version='container-infra 1.8'
        )


def test_a_cluster_without_an_address_gets_no_groups_yet(api):
    uuid = api.cluster(api.template())
    error = api.refused(409, 'POST', f'/v1/clusters/{uuid}/nodegroups', {'name': 'x'})
    assert 'API address' in error['detail']


def test_limits_and_taints_of_a_group_are_patched(api, cluster):
    path = f'{cluster}/nodegroups/default-worker'
    changed = api.ok(
        'PATCH',
        path,
        [
            {'op': 'replace', 'path': '/max_node_count', 'value': '5'},
            {'op': 'add', 'path': '/node_labels/disk', 'value': 'ssd'},
            {
                'op': 'replace',
                'path': '/node_taints',
                'value': "[{'key': 'gpu', 'effect': 'NoExecute'}]",
            },
        ],
    )
    assert changed['status'] == 'UPDATE_IN_PROGRESS' and changed['max_node_count'] == 5
    assert changed['node_labels'] == {'disk': 'ssd'}
    assert changed['node_taints'] == [{'key': 'gpu', 'effect': 'NoExecute'}]
    assert api.ok('GET', path) == changed
    assert api.ok('GET', cluster)['status'] == 'UPDATE_IN_PROGRESS'
    again = api.ok(
        'PATCH',
        path,
        [{'op': 'remove', 'path': '/max_node_count'}, {'op': 'remove', 'path': '/min_node_count'}],
    )
    assert (again['max_node_count'], again['min_node_count']) == (None, 0)
    assert len(kinds(api)) == 3  # the create, what runs, and what waits


def test_an_empty_patch_is_a_change_too(api, cluster):
    path = f'{cluster}/nodegroups/default-worker'
    assert api.ok('PATCH', path, [])['status'] == 'UPDATE_IN_PROGRESS'


@pytest.mark.parametrize(
    'name',
    [
        'name',
        'node_count',
        'labels',
        'flavor_id',
        'role',
        'status',
        'is_default',
        'stack_id',
        'uuid',
        'links',
        'nonsense',
    ],
)
def test_other_attributes_cannot_be_patched(api, cluster, name):
    api.refused(
        400,
        'PATCH',
        f'{cluster}/nodegroups/default-worker',
        [{'op': 'replace', 'path': f'/{name}', 'value': '1'}],
    )
    assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'


def test_patches_that_contradict_are_refused(api, cluster):
    path = f'{cluster}/nodegroups/default-worker'
    error = api.refused(
        409, 'PATCH', path, [{'op': 'replace', 'path': '/min_node_count', 'value': 2}]
    )
    assert error['title'] == (
        'Invalid input for node_count: node group default-worker has 1 '
        'nodes, min_node_count 2 wants more'
    )
    error = api.refused(
        409, 'POST', f'{cluster}/nodegroups', {'name': 'x', 'node_count': 3, 'max_node_count': 2}
    )
    assert error['title'] == (
        'Invalid input for node_count: node group x has 3 nodes, max_node_count 2 wants fewer'
    )
    api.refused(
        409,
        'PATCH',
        f'{cluster}/nodegroups/default-master',
        [{'op': 'add', 'path': '/node_labels/a', 'value': 'b'}],
    )
    for value in ('gpu', "['gpu']", {'key': 'gpu', 'effect': 'NoExecute'}, '{}'):
        error = api.refused(
            400, 'PATCH', path, [{'op': 'replace', 'path': '/node_taints', 'value': value}]
        )
        assert 'a list' in error['title']
    api.refused(404, 'PATCH', f'{cluster}/nodegroups/none', [])
    api.refused(400, 'PATCH', path, {'max_node_count': 3})


def test_a_group_is_deleted_and_a_default_one_is_not(api, cluster):
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'x'})
    for _ in range(2):
        assert api.call('DELETE', f'{cluster}/nodegroups/x').status_int == 204
        assert api.ok('GET', f'{cluster}/nodegroups/x')['status'] == 'DELETE_IN_PROGRESS'
    api.refused(400, 'DELETE', f'{cluster}/nodegroups/default-worker')
    api.refused(400, 'PATCH', f'{cluster}/nodegroups/x', [])
    api.refused(400, 'POST', f'{cluster}/actions/resize', {'node_count': 1, 'nodegroup': 'x'})
    assert [kind for kind, _ in kinds(api)] == ['create', 'nodegroup_create', 'nodegroup_delete']


def test_an_image_that_the_driver_cannot_boot_makes_no_group(api, cluster):
    api.db.write(store.update, DriverVersion, {'distros': ['debian']}, name='kubernetes')
    error = api.refused(
        400, 'POST', f'{cluster}/nodegroups', {'name': 'x', 'image_id': 'ubuntu-24.04'}
    )
    assert error['title'] == (
        'Invalid input for image_id: driver kubernetes boots debian, image ubuntu-24.04 has ubuntu'
    )
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'x', 'image_id': 'debian-13'})


def test_changes_queue_and_resizes_of_one_group_become_one(api, cluster):
    for name in ('a', 'b', 'c'):
        api.ok('POST', f'{cluster}/nodegroups', {'name': name})
    for count in (2, 3, 4):
        api.ok('POST', f'{cluster}/actions/resize', {'node_count': count})
        group = api.ok('GET', f'{cluster}/nodegroups/default-worker')
        assert (group['node_count'], group['status']) == (count, 'UPDATE_IN_PROGRESS')
    operations = api.ok('GET', f'{cluster}/operations')['operations']
    assert [row['kind'] for row in operations] == [
        'create',
        'nodegroup_create',
        'nodegroup_create',
        'nodegroup_create',
        'resize',
    ]


def test_what_does_not_queue_is_refused_while_something_runs(api, cluster):
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'a'})
    running = api.ok('GET', f'{cluster}/operations')['operations'][-1]
    error = api.refused(
        400, 'PATCH', cluster, [{'op': 'replace', 'path': '/node_count', 'value': 3}]
    )
    assert running['uuid'] in error['detail']
    api.ok('PATCH', cluster, [{'op': 'replace', 'path': '/health_status', 'value': 'HEALTHY'}])


@pytest.mark.parametrize('status', ['DELETE_IN_PROGRESS', 'DELETE_FAILED'])
def test_no_group_changes_once_a_deletion_was_accepted(api, cluster, status):
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'a'})
    api.settle(cluster.rpartition('/')[2], status)
    api.refused(400, 'POST', f'{cluster}/nodegroups', {'name': 'x'})
    api.refused(400, 'PATCH', f'{cluster}/nodegroups/default-worker', [])
    api.refused(400, 'DELETE', f'{cluster}/nodegroups/a')
    api.refused(400, 'POST', f'{cluster}/actions/resize', {'node_count': 1})


def test_a_group_goes_with_a_cluster_that_is_deleted_and_not_by_itself(api, cluster):
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'x'})
    assert api.call('DELETE', cluster).status_int == 204
    error = api.refused(400, 'DELETE', f'{cluster}/nodegroups/x')
    assert 'DELETE_IN_PROGRESS' in error['title']
    assert [kind for kind, _ in kinds(api)] == ['create', 'nodegroup_create', 'delete']


def test_others_and_administrators(api, cluster):
    bob, reader = 'bob:blue', 'carol:red:reader'
    api.refused(404, 'POST', f'{cluster}/nodegroups', {'name': 'x'}, token=bob)
    api.refused(403, 'POST', f'{cluster}/nodegroups', {'name': 'x'}, token='eve:red:none')
    assert api.ok('POST', f'{cluster}/nodegroups', {'name': 'x'}, token=ADMIN)
    api.refused(404, 'PATCH', f'{cluster}/nodegroups/x', [], token=bob)
    api.refused(404, 'DELETE', f'{cluster}/nodegroups/x', token=bob)
    assert api.ok('PATCH', f'{cluster}/nodegroups/x', [], token=ADMIN)
    assert api.call('DELETE', f'{cluster}/nodegroups/x', token=ADMIN).status_int == 204
    with api.db.read() as connection:
        (group,) = store.rows(connection, NodeGroup, name='x')
    assert group.project_id == 'red'
    assert api.ok('GET', f'{cluster}/nodegroups/x', token=reader)
