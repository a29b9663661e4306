"""What a driver refuses of a change is refused at the request, and leaves nothing."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup


@pytest.fixture
def cluster(judging):
    """Path of a complete cluster whose subnet has room for twelve nodes."""
    uuid = judging.cluster(
        judging.template(labels={'kube_tag': 'v1.35.1'}),
        merge_labels=True,
        labels={'fixed_subnet_cidr': '10.0.0.0/28'},
    )
    judging.settle(uuid)
    return f'/v1/clusters/{uuid}'


NO_ROOM = 'labels.fixed_subnet_cidr: 10.0.0.0/28 has room for 12 nodes, 21 are wanted'
# (method, path below the cluster, body, title of the refusal)
CHANGES = {
    'a resize': ('POST', '/actions/resize', {'node_count': 20}, NO_ROOM),
    'a PATCH': ('PATCH', '', [{'op': 'replace', 'path': '/node_count', 'value': 20}], NO_ROOM),
    'a group': ('POST', '/nodegroups', {'name': 'more', 'node_count': 19}, NO_ROOM),
    'a group with a label of clusters': (
        'POST',
        '/nodegroups',
        {'name': 'typo', 'labels': {'kube_tag': 'v1.31.0'}},
        'labels.kube_tag: node group typo cannot differ from its cluster in this, as "v1.31.0" '
        'would',
    ),
    'a change of a group': (
        'PATCH',
        '/nodegroups/default-worker',
        [{'op': 'add', 'path': '/node_labels/refused', 'value': 'x'}],
        'node_labels: refused is not accepted, any other name is',
    ),
    'an upgrade': (
        'POST',
        '/actions/upgrade',
        {'cluster_template': 'newer'},
        'labels.service_cluster_ip_range: 10.128.0.0/16 overlaps',
    ),
}


@pytest.mark.parametrize('name', CHANGES)
def test_a_change_that_the_driver_refuses_is_refused_and_leaves_nothing(judging, cluster, name):
    method, path, body, title = CHANGES[name]
    judging.template(name='newer')
    judging.db.write(
        store.update,
        ClusterTemplate,
        {'labels': {'service_cluster_ip_range': '10.128.0.0/16'}},
        name='newer',
    )
    before = judging.ok('GET', cluster), judging.ok('GET', f'{cluster}/nodegroups')
    error = judging.refused(400, method, cluster + path, body)
    assert error['title'].startswith(f'Invalid input for {title}')
    assert (judging.ok('GET', cluster), judging.ok('GET', f'{cluster}/nodegroups')) == before
    assert len(judging.ok('GET', f'{cluster}/operations')['operations']) == 1


def test_a_change_that_the_driver_accepts_is_made_beside_a_group_that_it_refused(judging, cluster):
    group = judging.ok('POST', f'{cluster}/nodegroups', {'name': 'typo'})['uuid']
    judging.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    judging.db.write(
        store.update,
        NodeGroup,
        {'status': 'CREATE_FAILED', 'labels': {'kube_tag': 'v1.31.0'}},
        uuid=group,
    )
    judging.template(name='newer')
    for method, path, body, title in (
        ('POST', '/actions/resize', {'node_count': 2}, ''),
        ('POST', '/nodegroups', {'name': 'more', 'labels': {'availability_zone': 'b'}}, ''),
        ('PATCH', '', [{'op': 'replace', 'path': '/node_count', 'value': 3}], ''),
        ('POST', '/actions/resize', {'node_count': 2, 'nodegroup': 'typo'}, 'labels.kube_tag'),
        ('DELETE', '/nodegroups/typo', None, ''),
    ):
        judging.db.write(store.update, Cluster, {'status': 'UPDATE_COMPLETE'})
        if title:
            assert title in judging.refused(400, method, cluster + path, body)['title']
        else:
            judging.ok(method, cluster + path, body)
