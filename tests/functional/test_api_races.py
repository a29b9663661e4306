"""Requests that race: of two changes exactly one is accepted, and nothing is left half done."""

from functools import partial

import pytest
import sqlalchemy as sa

from magnum_lite.api import changes
from magnum_lite.cloud import nodes
from magnum_lite.db import claims, settle, store
from magnum_lite.db.tables import enrolments
from magnum_lite.objects import Cluster, NodeGroup, Operation
from tests.together import together

COUNT = {'node_count': [{'op': 'replace', 'path': '/node_count', 'value': 3}]}


def status(api, *request):
    """What a request is answered by."""
    return api.call(*request).status_int


@pytest.fixture
def cluster(api):
    """A cluster that is ready for changes."""
    uuid = api.cluster(api.template())
    api.settle(uuid)
    return uuid


def open_operations(api, cluster):
    """Operations of a cluster that hold its slot."""
    with api.db.read() as connection:
        return [
            row.kind for row in store.rows(connection, Operation, cluster_id=cluster) if row.slot
        ]


def test_of_two_changes_one_is_accepted(api, cluster):
    path = f'/v1/clusters/{cluster}'
    statuses = together(*[lambda: api.call('PATCH', path, COUNT['node_count']).status_int] * 3)
    assert sorted(statuses) == [202, 400, 400]
    assert len(open_operations(api, cluster)) == 1
    shown = api.ok('GET', path)
    assert (shown['status'], shown['version']) == ('UPDATE_IN_PROGRESS', 2)


def test_changes_that_may_wait_are_all_accepted(api, cluster):
    path = f'/v1/clusters/{cluster}'
    groups = [{'name': f'g{number}'} for number in range(4)]
    statuses = together(
        *[
            lambda body=body: api.call('POST', f'{path}/nodegroups', body).status_int
            for body in groups
        ],
        *[
            lambda count=count: (
                api.call('POST', f'{path}/actions/resize', {'node_count': count}).status_int
            )
            for count in (2, 3)
        ],
    )
    assert statuses == [202] * 6
    with api.db.read() as connection:
        slots = [
            row.slot for row in store.rows(connection, Operation, cluster_id=cluster) if row.slot
        ]
    # The two resizes are one, unless the first came before anything else: then one runs.
    assert slots.count('run') == 1 and len(slots) in (5, 6)
    assert len(api.ok('GET', f'{path}/nodegroups')['nodegroups']) == 6
    assert api.ok('GET', path)['version'] == 7


def test_a_deletion_wins_over_a_change(api, cluster):
    path = f'/v1/clusters/{cluster}'
    deleted, changed = together(
        lambda: api.call('DELETE', path).status_int,
        lambda: api.call('PATCH', path, COUNT['node_count']).status_int,
    )
    assert deleted == 204 and changed in (202, 400)
    assert open_operations(api, cluster) == ['delete']
    assert api.ok('GET', path)['status'] == 'DELETE_IN_PROGRESS'


def test_two_deletions_are_one(api, cluster):
    path = f'/v1/clusters/{cluster}'
    assert together(*[lambda: api.call('DELETE', path).status_int] * 3) == [204] * 3
    assert open_operations(api, cluster) == ['delete']


def test_two_deletions_of_a_group_are_one(api, cluster):
    path = f'/v1/clusters/{cluster}/nodegroups'
    for number in range(5):
        group = api.ok('POST', path, {'name': f'g{number}'})['uuid']
        api.settle(cluster)
        # Each waits for the slot of the group, unless the other has ended by then.
        statuses = together(*[partial(status, api, 'DELETE', f'{path}/{group}')] * 4)
        assert statuses == [204] * 4
        with api.db.read() as connection:
            assert (
                store.count(
                    connection,
                    Operation,
                    node_group=group,
                    kind='nodegroup_delete',
                    cluster_id=cluster,
                )
                == 1
            )
        api.settle(cluster)


def test_a_template_and_a_cluster_of_it_do_not_miss_each_other(api):
    for number in range(5):
        template = api.template(name=f't{number}')
        deleted, created = together(
            partial(status, api, 'DELETE', f'/v1/clustertemplates/{template}'),
            partial(status, api, 'POST', '/v1/clusters', {'cluster_template_id': template}),
        )
        assert (deleted, created) in ((204, 404), (400, 202))


def test_no_more_clusters_than_the_quota_allows(api):
    template = api.template()
    api.ok('POST', '/v1/quotas', {'project_id': 'red', 'hard_limit': 5}, token='root:blue:admin')
    statuses = together(
        *[lambda: api.call('POST', '/v1/clusters', {'cluster_template_id': template}).status_int]
        * 50
    )
    assert sorted(statuses) == [202] * 5 + [403] * 45
    error = api.refused(403, 'POST', '/v1/clusters', {'cluster_template_id': template})
    assert error['title'].startswith('The maximum number of clusters per project is reached: 5;')
    with api.db.read() as connection:
        assert store.count(connection, Cluster, project_id='red') == 5
    assert api.ok('GET', '/v1/stats') == {'clusters': 5, 'nodes': 10}


def test_of_many_quotas_of_one_project_one_is_set(api):
    statuses = together(
        *[
            lambda: (
                api.call(
                    'POST',
                    '/v1/quotas',
                    {'project_id': 'red', 'hard_limit': 3},
                    token='root:blue:admin',
                ).status_int
            )
        ]
        * 5
    )
    assert sorted(statuses) == [201] + [409] * 4


def test_asking_for_the_count_that_is_there_is_an_operation_too(api, cluster):
    path = f'/v1/clusters/{cluster}'
    api.ok('POST', f'{path}/actions/resize', {'node_count': '1', 'nodes_to_remove': ['0']})
    assert api.ok('GET', path)['status'] == 'UPDATE_IN_PROGRESS'
    group = api.ok('GET', f'{path}/nodegroups/default-worker')
    assert (group['status'], group['node_count']) == ('UPDATE_IN_PROGRESS', 1)
    assert api.ok('GET', f'{path}/nodegroups/default-master')['status'] == 'CREATE_COMPLETE'
    with api.db.read() as connection:
        operation = store.find(connection, Operation, cluster_id=cluster, kind='resize')[0]
    assert operation.wants.nodes_to_remove == ('0',)
    assert operation.node_group == group['uuid']


ASK_AGAIN = {
    'update': lambda api, path: api.call('PATCH', path, COUNT['node_count']),
    'resize': lambda api, path: api.call('POST', f'{path}/actions/resize', {'node_count': 2}),
    'nodegroup_update': lambda api, path: api.call(
        'PATCH',
        f'{path}/nodegroups/default-worker',
        [{'op': 'replace', 'path': '/max_node_count', 'value': 5}],
    ),
    'nodegroup_create': lambda api, path: api.call('POST', f'{path}/nodegroups', {'name': 'g'}),
    'rotate_credentials': lambda api, path: api.call(
        'PATCH', path.replace('clusters', 'credentials')
    ),
}


@pytest.mark.parametrize('ask', ASK_AGAIN)
@pytest.mark.parametrize('status', ['UPDATE_FAILED', 'ROLLBACK_FAILED', 'RESUME_FAILED'])
def test_a_change_may_be_asked_again_after_a_failure(api, cluster, status, ask):
    api.settle(cluster, status)
    assert ASK_AGAIN[ask](api, f'/v1/clusters/{cluster}').status_int == 202


@pytest.mark.parametrize('ask', ASK_AGAIN)
def test_a_cluster_that_failed_to_be_created_changes_once_it_has_its_control_plane(
    api, cluster, ask
):
    path = f'/v1/clusters/{cluster}'
    api.settle(cluster, 'CREATE_FAILED')
    answer = ASK_AGAIN[ask](api, path)
    assert answer.status_int == 400 and 'CREATE_FAILED' in answer.text
    api.db.write(
        store.update, NodeGroup, {'status': 'CREATE_COMPLETE'}, cluster_id=cluster, role='master'
    )
    assert ASK_AGAIN[ask](api, path).status_int == 202


def test_faults_are_shown_of_a_failed_cluster(api, cluster):
    api.settle(cluster, 'CREATE_FAILED')
    assert api.ok('GET', f'/v1/clusters/{cluster}')['faults'] == {
        'default-master': '',
        'default-worker': '',
    }
    assert 'faults' not in api.ok('GET', '/v1/clusters/detail')['clusters'][0]


def delete_at_once(api, cluster):
    """Delete a cluster, and be the worker that does it."""
    api.call('DELETE', f'/v1/clusters/{cluster}')
    with api.db.read() as connection:
        operation = store.find(connection, Operation, cluster_id=cluster)[-1]
    worker = {'owner': 'me', 'lease_s': 60}
    assert api.db.write(claims.claim, operation.uuid, **worker)
    api.db.write(settle.gone, api.db.write(claims.step, operation.uuid, **worker))


def test_a_server_whose_cluster_goes_meanwhile_does_not_enrol(configured, monkeypatch):
    """Heat and Nova are asked about it, which takes as long as they like."""
    with configured() as api:
        cluster = api.cluster(api.template())
        (group,) = (
            entry['uuid']
            for entry in api.ok('GET', f'/v1/clusters/{cluster}/nodegroups')['nodegroups']
            if entry['role'] == 'worker'
        )

        def group_of(*args):
            delete_at_once(api, cluster)
            return group

        monkeypatch.setattr(nodes, 'group_of', group_of)
        error = api.refused(
            403,
            'POST',
            '/v1/enrolments',
            {'cluster': cluster, 'server': group, 'proof': 'f' * 64},
            token=None,
        )
        assert 'not in the stacks of the cluster' in error['detail']
        with api.db.read() as connection:
            assert connection.execute(sa.select(enrolments)).all() == []


def test_limits_of_a_group_are_judged_by_the_nodes_that_it_has_when_they_are_accepted(
    api, cluster, monkeypatch
):
    accepted = changes.make

    def make(*args, **how):
        monkeypatch.setattr(changes, 'make', accepted)
        api.ok('POST', f'/v1/clusters/{cluster}/actions/resize', {'node_count': 5})
        accepted(*args, **how)

    monkeypatch.setattr(changes, 'make', make)
    path = f'/v1/clusters/{cluster}/nodegroups/default-worker'
    error = api.refused(
        409, 'PATCH', path, [{'op': 'replace', 'path': '/max_node_count', 'value': 2}]
    )
    assert 'default-worker has 5 nodes, max_node_count 2 wants fewer' in error['detail']
    shown = api.ok('GET', path)
    assert (shown['node_count'], shown['max_node_count']) == (5, None)
