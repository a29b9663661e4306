"""The limits of a group have one place: its attributes, which labels set when they are given."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import Cluster
from tests.fixtures import patch
from tests.functional.limits import WORKER, limits


@pytest.fixture
def api(at_most_eight):
    """A service whose clusters have at most eight nodes."""
    return at_most_eight


@pytest.mark.parametrize(
    ('templates', 'given', 'merge', 'found'),
    [
        ({}, {}, False, (0, None)),
        ({}, {'min_node_count': '1', 'max_node_count': '3'}, False, (1, 3)),
        ({'min_node_count': '1', 'max_node_count': '3'}, {}, False, (1, 3)),
        ({'min_node_count': '1', 'max_node_count': '3'}, {'max_node_count': '5'}, True, (1, 5)),
        ({'min_node_count': '1', 'max_node_count': '3'}, {'max_node_count': '5'}, False, (0, 5)),
        ({}, {'max_node_count': '0'}, False, (0, None)),
    ],
    ids=str,
)
def test_labels_limit_the_default_workers(api, templates, given, merge, found):
    cluster = api.complete(
        api.template(labels=templates), merge_labels=merge, **({'labels': given} if given else {})
    )
    assert limits(api, f'{cluster}/{WORKER}') == found
    assert limits(api, f'{cluster}/nodegroups/default-master') == (0, None)


def test_what_the_labels_said_holds_for_every_change_of_the_count(api):
    cluster = api.complete(
        api.template(), node_count=2, labels={'min_node_count': '2', 'max_node_count': '3'}
    )
    for count in (1, 4):
        for method, path, body in (
            ('POST', f'{cluster}/actions/resize', {'node_count': count}),
            ('PATCH', cluster, patch('node_count', count)),
        ):
            error = api.refused(400, method, path, body)
            assert (
                error['title'] == 'Invalid input for node_count: default-worker has 2 to 3 '
                f'nodes (min_node_count, max_node_count), not {count}'
            )
    assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'
    api.ok('PATCH', cluster, patch('node_count', 3))


def test_afterwards_the_group_alone_says_them(api):
    cluster = api.complete(api.template(), labels={'max_node_count': '2'})
    api.ok('PATCH', f'{cluster}/{WORKER}', patch('max_node_count', 5))
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 4})
    assert limits(api, f'{cluster}/{WORKER}') == (0, 5)
    assert api.ok('GET', cluster)['labels'] == {'max_node_count': '2'}


@pytest.mark.parametrize(
    ('given', 'title'),
    [
        (
            {'node_count': 4, 'labels': {'max_node_count': '3'}},
            'node_count: the labels min_node_count and max_node_count want 0 to 3 nodes, not 4',
        ),
        (
            {'labels': {'min_node_count': '2'}},
            'node_count: the label min_node_count wants 2 nodes or more, not 1',
        ),
        (
            {'labels': {'min_node_count': '4', 'max_node_count': '3'}},
            'labels.min_node_count: max_node_count 3 or fewer is expected, not "4"',
        ),
        (
            {'labels': {'max_node_count': '9'}},
            'labels.max_node_count: a group of up to 9 nodes is asked for, at most 8 are accepted '
            '([cluster] max_nodes)',
        ),
    ],
    ids=str,
)
def test_a_cluster_that_contradicts_its_labels_is_refused_by_both_names(api, given, title):
    template = api.template()
    error = api.refused(400, 'POST', '/v1/clusters', {'cluster_template_id': template, **given})
    assert error['title'] == f'Invalid input for {title}'


def test_labels_of_a_template_do_not_contradict(api):
    bad = {'min_node_count': '4', 'max_node_count': '3'}
    title = (
        'Invalid input for labels.min_node_count: max_node_count 3 or fewer is expected, not "4"'
    )
    error = api.refused(
        400,
        'POST',
        '/v1/clustertemplates',
        {'coe': 'kubernetes', 'image_id': 'debian-13', 'labels': bad},
    )
    assert error['title'] == title
    path = f'/v1/clustertemplates/{api.template(labels={"max_node_count": "3"})}'
    error = api.refused(
        400, 'PATCH', path, [{'op': 'add', 'path': '/labels/min_node_count', 'value': '4'}]
    )
    assert error['title'] == title


@pytest.mark.parametrize(
    ('given', 'found'),
    [
        ({'labels': {'min_node_count': '1', 'max_node_count': '2'}}, (1, 2)),
        # What the command line sends beside them.
        (
            {'labels': {'min_node_count': '1'}, 'min_node_count': 0, 'max_node_count': None},
            (1, None),
        ),
        ({'labels': {'max_node_count': '2'}, 'max_node_count': 2}, (0, 2)),
        ({'labels': {'max_node_count': '2'}, 'merge_labels': True}, (0, 2)),
        ({}, (0, None)),
    ],
    ids=str,
)
def test_labels_of_a_group_limit_that_group(api, given, found):
    cluster = api.complete(api.template(), labels={'max_node_count': '3'})
    made = api.ok('POST', f'{cluster}/nodegroups', {'name': 'x', **given})
    assert limits(api, f'{cluster}/nodegroups/{made["uuid"]}') == found
    assert limits(api, f'{cluster}/{WORKER}') == (0, 3)


def test_limits_of_the_cluster_are_none_of_a_group_that_merges_its_labels(api):
    cluster = api.complete(api.template(), labels={'max_node_count': '3'})
    made = api.ok(
        'POST',
        f'{cluster}/nodegroups',
        {'name': 'x', 'node_count': 4, 'merge_labels': True, 'labels': {'min_node_count': '4'}},
    )
    assert limits(api, f'{cluster}/nodegroups/{made["uuid"]}') == (4, None)


@pytest.fixture
def contradicting(api):
    """Path of a cluster whose labels release 1.0 did not judge."""
    cluster = api.complete(api.template(cluster_distro='debian'))
    api.db.write(
        store.update,
        Cluster,
        {'labels': {'min_node_count': '4', 'max_node_count': '3'}},
        uuid=cluster.split('/')[-1],
    )
    return cluster


@pytest.mark.parametrize(
    'given', [{}, {'labels': {'availability_zone': 'a'}, 'merge_labels': True}], ids=str
)
def test_labels_that_a_cluster_was_made_with_refuse_no_group(api, contradicting, given):
    made = api.ok('POST', f'{contradicting}/nodegroups', {'name': 'x', **given})
    assert limits(api, f'{contradicting}/nodegroups/{made["uuid"]}') == (0, None)


def test_labels_that_a_cluster_was_made_with_refuse_no_upgrade(api, contradicting):
    api.ok(
        'POST',
        f'{contradicting}/actions/upgrade',
        {'cluster_template': api.template(name='new', cluster_distro='debian')},
    )
    assert limits(api, f'{contradicting}/{WORKER}') == (0, None)


def test_a_group_that_contradicts_its_labels_is_refused_by_both_names(api):
    cluster = api.complete(api.template())
    path = f'{cluster}/nodegroups'
    error = api.refused(
        400, 'POST', path, {'name': 'x', 'labels': {'max_node_count': '2'}, 'max_node_count': 5}
    )
    assert error['title'] == (
        'Invalid input for max_node_count: the label max_node_count says 2, not 5'
    )
    error = api.refused(400, 'POST', path, {'name': 'x', 'labels': {'max_node_count': '9'}})
    assert error['title'].startswith('Invalid input for max_node_count: a group of up to 9 nodes')
    assert len(api.ok('GET', path)['nodegroups']) == 2
