"""Upgrades and new authorities over REST; what the engine makes of them is in tests/engine."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import DriverVersion, NodeGroup, Operation

ADMIN = 'root:ops:admin'


@pytest.fixture
def able(api):
    """A service whose driver can do all."""
    api.db.write(
        store.update,
        DriverVersion,
        {'capabilities': ['rotate_ca', 'update', 'upgrade']},
        name='kubernetes',
    )
    return api


@pytest.fixture
def cluster(api):
    """Path of a complete cluster, whose only own label is the zone."""
    template = api.template(labels={'kube_tag': 'v1.35.1', 'cgroup_driver': 'systemd'})
    uuid = api.cluster(template, labels={'availability_zone': 'b'}, merge_labels=True)
    api.settle(uuid)
    return f'/v1/clusters/{uuid}'


@pytest.fixture
def newer(api):
    """Uuid of a template with a newer version."""
    return api.template(name='newer', image_id='ubuntu-24.04', labels={'kube_tag': 'v1.36.2'})


def operation(api):
    """The newest operation."""
    with api.db.read() as connection:
        return store.find(connection, Operation)[-1]


def test_an_upgrade_is_accepted_and_shows_at_once(able, cluster, newer):
    body = {'cluster_template': 'newer', 'max_batch_size': '3', 'nodegroup': 'default-worker'}
    assert able.ok('POST', f'{cluster}/actions/upgrade', body)['uuid'] in cluster
    assert able.ok('GET', cluster)['status'] == 'UPDATE_IN_PROGRESS'
    statuses = [group['status'] for group in able.ok('GET', f'{cluster}/nodegroups')['nodegroups']]
    assert statuses == ['UPDATE_IN_PROGRESS'] * 2
    made = operation(able)
    assert (made.kind, made.node_group, made.wants.max_batch_size) == ('upgrade', None, 3)
    assert made.wants.cluster['cluster_template_id'] == newer
    # What came from the old template comes from the new one; the user's own stays.
    assert made.wants.cluster['labels'] == {'kube_tag': 'v1.36.2', 'availability_zone': 'b'}
    assert made.wants.cluster['facts']['image']['name'] == 'ubuntu-24.04'
    able.refused(400, 'POST', f'{cluster}/actions/upgrade', body)


def test_without_a_size_one_node_at_a_time(able, cluster, newer):
    able.ok(
        'POST',
        f'{cluster}/actions/upgrade',
        {'cluster_template': newer, 'max_batch_size': None, 'nodegroup': None},
    )
    assert operation(able).wants.max_batch_size == 1


@pytest.mark.parametrize(
    ('body', 'status'),
    [
        ({}, 400),
        ({'cluster_template': None}, 400),
        ({'cluster_template': ''}, 400),
        ({'cluster_template': 'none-such'}, 404),
        ([], 400),
        ({'cluster_template': 5}, 400),
        ({'cluster_template': 'newer', 'max_batch_size': 0}, 400),
        ({'cluster_template': 'newer', 'nodegroup': 'none-such'}, 404),
        ({'cluster_template': 'newer', 'image_id': 'x'}, 400),
    ],
    ids=str,
)
def test_bad_upgrades_are_refused(able, cluster, newer, body, status):
    able.refused(status, 'POST', f'{cluster}/actions/upgrade', body)
    assert able.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'


def test_a_group_that_never_formed_is_not_shown_as_upgraded(able, cluster, newer):
    uuid = able.ok('POST', f'{cluster}/nodegroups', {'name': 'typo'})['uuid']
    able.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    able.db.write(store.update, NodeGroup, {'status': 'CREATE_FAILED'}, uuid=uuid)
    able.ok('POST', f'{cluster}/actions/upgrade', {'cluster_template': newer})
    statuses = {
        group['name']: group['status']
        for group in able.ok('GET', f'{cluster}/nodegroups')['nodegroups']
    }
    assert statuses == {
        'default-master': 'UPDATE_IN_PROGRESS',
        'default-worker': 'UPDATE_IN_PROGRESS',
        'typo': 'CREATE_FAILED',
    }
    # When it is tried again, it is of the template of its cluster.
    assert operation(able).wants.groups[uuid] == {'image_id': 'ubuntu-24.04'}


def test_a_group_follows_its_cluster(able, cluster, newer):
    able.ok('POST', f'{cluster}/nodegroups', {'name': 'more'})
    able.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    able.refused(
        409, 'POST', f'{cluster}/actions/upgrade', {'cluster_template': newer, 'nodegroup': 'more'}
    )
    current = able.ok('GET', cluster)['cluster_template_id']
    able.ok(
        'POST', f'{cluster}/actions/upgrade', {'cluster_template': current, 'nodegroup': 'more'}
    )
    groups = able.ok('GET', f'{cluster}/nodegroups')['nodegroups']
    assert [group['status'] for group in groups] == [
        'UPDATE_COMPLETE',
        'UPDATE_COMPLETE',
        'UPDATE_IN_PROGRESS',
    ]
    assert operation(able).node_group == groups[2]['uuid']


def test_versions_gate_the_upgrade(able, cluster, newer):
    body = {'cluster_template': newer}
    path = f'{cluster}/actions/upgrade'
    able.refused(406, 'POST', path, body, version='container-infra 1.6')
    able.refused(400, 'POST', path, body, version='container-infra 1.7')
    able.ok('POST', path, body, version='container-infra 1.8')


def test_a_template_of_another_kind_is_refused(able, cluster):
    machines = able.template(name='machines', server_type='bm')
    error = able.refused(400, 'POST', f'{cluster}/actions/upgrade', {'cluster_template': machines})
    assert 'its server_type is bm, vm is expected' in error['detail']


def test_authorities_are_replaced_on_request(able, cluster):
    uuid = cluster.rpartition('/')[2]
    response = able.call(
        'PATCH',
        f'/v1/certificates/{uuid}',
        version=None,
        headers={'Content-Type': 'application/octet-stream'},
    )
    assert (response.status_int, response.json) == (202, {'uuid': uuid})
    assert able.ok('GET', cluster)['status'] == 'UPDATE_IN_PROGRESS'
    assert (operation(able).kind, operation(able).wants.cluster) == (
        'rotate_ca',
        {'ca_generation': 2},
    )
    assert operation(able).timeout_min == 3 * 15  # a limit for each of its stages
    able.refused(400, 'PATCH', f'/v1/certificates/{uuid}')
    able.settle(uuid)
    able.refused(400, 'PATCH', f'/v1/certificates/{uuid}', {'unknown': 1})
    able.refused(400, 'PATCH', f'/v1/certificates/{uuid}', [])
    able.ok('PATCH', f'/v1/certificates/{uuid}', {}, token=ADMIN)
    able.refused(404, 'PATCH', f'/v1/certificates/{uuid}', token='bob:blue')
    able.refused(405, 'GET', '/v1/certificates')


def test_without_tls_there_is_nothing_to_replace(able):
    uuid = able.cluster(able.template(tls_disabled=True))
    able.settle(uuid)
    assert 'TLS' in able.refused(400, 'PATCH', f'/v1/certificates/{uuid}')['detail']
