"""What a driver cannot do is refused when it is asked for, whatever it is."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import DriverVersion, NodeGroup, kinds

ALL = {'update', 'upgrade', 'rotate_ca', 'scale_manager'}
COUNT = [{'op': 'replace', 'path': '/node_count', 'value': 2}]
LIMIT = [{'op': 'replace', 'path': '/max_node_count', 'value': 9}]
ADMIN = 'root:red:admin'
# {kind: (lacking capability, method, path, body, words)}
ASKED = {
    'update': ('update', 'PATCH', '{cluster}', COUNT, 'resizing'),
    'resize': ('update', 'POST', '{cluster}/actions/resize', {'node_count': 2}, 'resizing'),
    'resize by name': (
        'scale_manager',
        'POST',
        '{cluster}/actions/resize',
        {'node_count': 1, 'nodes_to_remove': ['0']},
        'the removal of given nodes',
    ),
    'nodegroup_create': (
        'update',
        'POST',
        '{cluster}/nodegroups',
        {'name': 'more'},
        'further node groups',
    ),
    'nodegroup_update': (
        'update',
        'PATCH',
        '{cluster}/nodegroups/default-worker',
        LIMIT,
        'changes of node groups',
    ),
    'nodegroup_delete': (
        'update',
        'DELETE',
        '{cluster}/nodegroups/other',
        None,
        'the deletion of node groups',
    ),
    'upgrade': (
        'upgrade',
        'POST',
        '{cluster}/actions/upgrade',
        {'cluster_template': 'small'},
        'upgrades',
    ),
    'rotate_ca': (
        'rotate_ca',
        'PATCH',
        '/v1/certificates/{uuid}',
        {},
        'rotation of certificate authorities',
    ),
}


@pytest.fixture
def cluster(api):
    """Uuid of a complete cluster with a group of its own."""
    uuid = api.cluster(api.template())
    api.db.write(
        store.insert,
        NodeGroup.new(name='other', cluster_id=uuid, project_id='red', status='CREATE_COMPLETE'),
    )
    api.settle(uuid)
    return uuid


def test_there_is_a_case_of_each_kind_that_needs_something():
    assert {kind.name for kind in kinds.TABLE.values() if kind.need} == {
        name.partition(' ')[0] for name in ASKED
    }


@pytest.mark.parametrize('asked', ASKED)
def test_a_driver_that_cannot_says_so(api, cluster, asked):
    capability, method, path, body, words = ASKED[asked]
    path = path.format(cluster=f'/v1/clusters/{cluster}', uuid=cluster)

    def able(capabilities):
        api.db.write(store.update, DriverVersion, {'capabilities': sorted(capabilities)})

    able(ALL - {capability})
    error = api.refused(400, method, path, body, token=ADMIN)
    assert error['title'] == f'Driver kubernetes does not support {words}'
    assert api.ok('GET', f'/v1/clusters/{cluster}')['status'] == 'CREATE_COMPLETE'
    able(ALL)
    api.ok(method, path, body, token=ADMIN)
    assert api.ok('GET', f'/v1/clusters/{cluster}')['status'] == 'UPDATE_IN_PROGRESS'


def test_what_every_driver_can_needs_no_capability(api, cluster):
    api.db.write(store.update, DriverVersion, {'capabilities': []})
    assert api.cluster(api.template(name='another'))
    api.ok(
        'PATCH',
        f'/v1/clusters/{cluster}',
        [{'op': 'replace', 'path': '/health_status', 'value': 'HEALTHY'}],
        token=ADMIN,
    )
    api.ok('PATCH', f'/v1/credentials/{cluster}')
    api.ok('DELETE', f'/v1/clusters/{cluster}')
