"""What one cluster may have: refused when it is asked for, whoever else asks at the same moment."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import Cluster, NodeGroup, Operation
from tests import fixtures
from tests.fixtures import patch
from tests.functional.limits import HUGE
from tests.together import together


@pytest.fixture
def api(at_most_eight):
    """A service whose clusters have at most eight nodes."""
    return at_most_eight


@pytest.fixture
def cluster(api):
    """Path of a complete cluster of two nodes."""
    return api.complete(api.template())


@pytest.mark.parametrize(
    ('counts', 'attribute'),
    [
        ({'node_count': 8}, 'node_count'),
        ({'node_count': HUGE}, 'node_count'),
        ({'master_count': 9, 'master_lb_enabled': True}, 'master_count'),
        ({'master_count': HUGE, 'master_lb_enabled': True}, 'master_count'),
    ],
    ids=str,
)
def test_a_cluster_of_too_many_nodes_is_refused_by_name(api, counts, attribute):
    template = api.template()
    error = api.refused(400, 'POST', '/v1/clusters', {'cluster_template_id': template, **counts})
    assert error['detail'].startswith(f'Invalid input for {attribute}: ')
    assert 'at most 8 are accepted ([cluster] max_nodes)' in error['detail']
    with api.db.read() as connection:
        assert not store.rows(connection, Cluster) and not store.rows(connection, Operation)
    api.ok('POST', '/v1/clusters', {'cluster_template_id': template, 'node_count': 7})


@pytest.mark.parametrize('count', [8, HUGE])
def test_no_change_makes_a_cluster_too_large(api, cluster, count):
    for method, path, body in (
        ('POST', f'{cluster}/actions/resize', {'node_count': count}),
        ('PATCH', cluster, patch('node_count', count)),
        ('POST', f'{cluster}/nodegroups', {'name': 'x', 'node_count': count}),
    ):
        error = api.refused(400, method, path, body)
        assert 'node_count' in error['detail'] and 'at most 8' in error['detail'], error
    assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'
    assert len(api.ok('GET', f'{cluster}/operations')['operations']) == 1
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'x', 'node_count': 6})
    api.refused(400, 'POST', f'{cluster}/actions/resize', {'node_count': 2})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 1, 'nodegroup': 'x'})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 6})


def test_a_limit_of_a_group_that_no_cluster_reaches_is_refused(api, cluster):
    for method, path, body in (
        ('POST', f'{cluster}/nodegroups', {'name': 'x', 'max_node_count': 9}),
        ('PATCH', f'{cluster}/nodegroups/default-worker', patch('max_node_count', HUGE)),
    ):
        assert 'max_node_count' in api.refused(400, method, path, body)['detail']
    api.ok('PATCH', f'{cluster}/nodegroups/default-worker', patch('max_node_count', 8))


def test_an_upgrade_takes_no_more_nodes_at_a_time_than_there_may_be(api, cluster):
    error = api.refused(
        400,
        'POST',
        f'{cluster}/actions/upgrade',
        {'cluster_template': 'small', 'max_batch_size': HUGE},
    )
    assert (
        error['title'] == 'Invalid input for max_batch_size: a cluster has at most 8 nodes '
        f'([cluster] max_nodes), not {HUGE}'
    )


@pytest.mark.parametrize('name', ['master_count', 'node_addresses', 'stack_id', 'cluster_id'])
def test_what_a_cluster_shows_and_nobody_changes_is_no_unknown_attribute(api, cluster, name):
    title = api.refused(400, 'PATCH', cluster, patch(name, '3'))['title']
    assert title == f'Invalid input for {name}: the attribute cannot be changed'


def test_a_cluster_that_is_too_large_already_shrinks(api, cluster):
    """From a release without the limit, or from before it was lowered."""
    api.db.write(store.update, NodeGroup, {'node_count': HUGE}, name='default-worker')
    api.refused(400, 'POST', f'{cluster}/nodegroups', {'name': 'x'})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 5000})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 3})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 7})


def make_groups_at_once(api):
    """Six requests for two nodes each, where there is room for three of them."""
    cluster = api.complete(api.template())
    statuses = together(
        *[
            lambda name=name: (
                api.call(
                    'POST', f'{cluster}/nodegroups', {'name': name, 'node_count': 2}
                ).status_int
            )
            for name in 'abcdef'
        ]
    )
    assert sorted(statuses) == [202] * 3 + [400] * 3
    found = api.ok('GET', cluster)
    assert found['node_count'] + found['master_count'] == 8


def test_groups_that_are_made_at_once_do_not_exceed_it_together(api):
    make_groups_at_once(api)


def test_nor_do_they_on_a_server(configured, server_database):
    with configured(connection=server_database, cluster={'max_nodes': 8}) as running:
        make_groups_at_once(running)


@pytest.fixture
def few_groups(configured):
    """A service whose clusters have at most four groups, and the path of such a cluster."""
    with configured(cluster={'max_node_groups': 4}) as running:
        yield running, running.complete(running.template())


def test_a_cluster_of_too_many_groups_is_refused(few_groups):
    api, cluster = few_groups
    for name in 'ab':
        api.ok('POST', f'{cluster}/nodegroups', {'name': name, 'node_count': 0})
    error = api.refused(400, 'POST', f'{cluster}/nodegroups', {'name': 'c', 'node_count': 0})
    assert error['detail'].endswith(
        'has 4 node groups, at most 4 are accepted ([cluster] max_node_groups)'
    )
    assert len(api.ok('GET', f'{cluster}/nodegroups')['nodegroups']) == 4
    assert len(api.ok('GET', f'{cluster}/operations')['operations']) == 3


def test_groups_that_are_made_at_once_are_not_too_many_together(few_groups):
    api, cluster = few_groups
    statuses = together(
        *[
            lambda name=name: (
                api.call(
                    'POST', f'{cluster}/nodegroups', {'name': name, 'node_count': 0}
                ).status_int
            )
            for name in 'abcdef'
        ]
    )
    assert sorted(statuses) == [202] * 2 + [400] * 4


@pytest.fixture
def limited(configured):
    """A service whose driver says what it can."""
    with configured() as running:
        running.db.write(
            store.insert,
            fixtures.driver_row(
                version=2, limits={'max_nodes': 5, 'max_master_count': 1, 'max_node_count': 3}
            ),
        )
        yield running


def test_what_the_driver_cannot_is_refused_in_its_name(limited):
    template = limited.template(master_lb_enabled=True)
    for counts, attribute, limit in (
        ({'node_count': 5}, 'node_count', 5),
        ({'master_count': 3}, 'master_count', 1),
    ):
        error = limited.refused(
            400, 'POST', '/v1/clusters', {'cluster_template_id': template, **counts}
        )
        assert error['detail'].startswith(f'Invalid input for {attribute}: ')
        assert error['detail'].endswith(f'at most {limit} are accepted (driver kubernetes)')
    path = limited.complete(template)
    for method, where, body, attribute in (
        ('POST', f'{path}/actions/resize', {'node_count': 5}, 'node_count'),
        ('PATCH', path, patch('node_count', 5), 'node_count'),
        ('POST', f'{path}/nodegroups', {'name': 'x', 'node_count': 4}, 'node_count'),
        ('POST', f'{path}/nodegroups', {'name': 'x', 'max_node_count': 4}, 'max_node_count'),
        (
            'PATCH',
            f'{path}/nodegroups/default-worker',
            patch('max_node_count', 4),
            'max_node_count',
        ),
    ):
        error = limited.refused(400, method, where, body)
        assert attribute in error['detail'] and 'driver kubernetes' in error['detail'], error
    limited.ok('POST', f'{path}/actions/resize', {'node_count': 4})
    assert limited.ok('GET', '/v1/drivers/kubernetes')['limits']['max_nodes'] == 5


def make_templates_at_once(running):
    """Six requests, where there is room for two of them."""
    running.template()
    statuses = together(
        *[
            lambda name=name: (
                running.call(
                    'POST',
                    '/v1/clustertemplates',
                    {
                        'name': name,
                        'coe': 'kubernetes',
                        'image_id': 'i',
                        'external_network_id': 'e',
                    },
                ).status_int
            )
            for name in 'abcdef'
        ]
    )
    assert sorted(statuses) == [201] * 2 + [400] * 4
    error = running.refused(
        400,
        'POST',
        '/v1/clustertemplates',
        {'coe': 'kubernetes', 'image_id': 'i', 'external_network_id': 'e'},
    )
    assert (
        error['detail'] == 'The project has 3 cluster templates, at most 3 are accepted '
        '([api] max_templates)'
    )
    running.ok(
        'POST',
        '/v1/clustertemplates',
        {'coe': 'kubernetes', 'image_id': 'i', 'external_network_id': 'e'},
        token='bob:blue',
    )
    running.call('DELETE', '/v1/clustertemplates/small')
    running.template()


def test_a_project_has_not_too_many_templates(configured):
    with configured(api={'max_templates': 3}) as running:
        make_templates_at_once(running)


def test_nor_has_it_on_a_server(configured, server_database):
    with configured(connection=server_database, api={'max_templates': 3}) as running:
        make_templates_at_once(running)
