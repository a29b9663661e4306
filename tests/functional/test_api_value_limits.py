"""Every number and text of a cluster, a group and a template has a limit."""

import pytest

from tests.functional.limits import HUGE


@pytest.fixture
def api(configured):
    """A service whose driver can do what is asked for."""
    with configured() as running:
        yield running


@pytest.mark.parametrize(
    ('attributes', 'most'),
    [
        ({'docker_volume_size': 65537}, '1 to 65536'),
        ({'docker_volume_size': HUGE}, '1 to 65536'),
        ({'create_timeout': 43201}, '0 to 43200'),
        ({'create_timeout': HUGE}, '0 to 43200'),
        ({'labels': {'min_node_count': HUGE}}, '0 to 100000'),
        ({'labels': {'max_node_count': HUGE}}, '0 to 100000'),
        ({'discovery_url': 'x' * 4097}, '4096'),
        ({'labels': {f'l{number}': 'x' for number in range(257)}}, 'at most 256 entries'),
        (
            {'labels': {f'l{number}': 'x' * 4096 for number in range(17)}},
            'at most 65536 characters',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_other_number_and_text_of_a_cluster_is_limited(api, attributes, most):
    template = api.template()
    error = api.refused(
        400, 'POST', '/v1/clusters', {'cluster_template_id': template, **attributes}
    )
    assert next(iter(attributes)) in error['detail'] and most in error['detail'], error


@pytest.mark.parametrize(
    ('attributes', 'most'),
    [
        ({'docker_volume_size': HUGE}, '1 to 65536'),
        ({'node_labels': {f'l{number}': 'x' for number in range(33)}}, 'at most 32 entries'),
        (
            {
                'node_labels': {f'l{number}': 'x' for number in range(20)},
                'labels': {f'example.org/l{number}': 'x' for number in range(20)},
            },
            'at most 32 labels',
        ),
        (
            {'node_taints': [{'key': f't{number}', 'effect': 'NoExecute'} for number in range(33)]},
            'at most 32 taints',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_every_other_number_and_text_of_a_group_is_limited(api, attributes, most):
    cluster = api.complete(api.template())
    response = api.call('POST', f'{cluster}/nodegroups', {'name': 'x', **attributes})
    detail = response.json['errors'][0]['detail']
    assert response.status_int in (400, 409) and most in detail
    assert next(iter(attributes)) in detail, detail


@pytest.fixture
def open_minded(configured):
    """A service that takes any label."""
    with configured(api={'unknown_labels': 'accept'}) as running:
        yield running


def test_labels_do_not_grow_key_by_key(open_minded):
    api = open_minded
    template = f'/v1/clustertemplates/{api.template()}'
    values = [
        {'op': 'add', 'path': f'/labels/key{number}', 'value': 'x' * 4000} for number in range(17)
    ]
    for step in values[:-1]:
        api.ok('PATCH', template, [step])
    error = api.refused(400, 'PATCH', template, values[-1:])
    assert 'for labels: ' in error['detail'] and 'at most 65536 characters' in error['detail']
    api.ok('PATCH', template, [{'op': 'remove', 'path': '/labels/key0'}])


def test_labels_of_template_and_cluster_are_limited_together(open_minded):
    api = open_minded
    template = api.template(labels={f'own{number}': 'x' for number in range(200)})
    error = api.refused(
        400,
        'POST',
        '/v1/clusters',
        {
            'cluster_template_id': template,
            'merge_labels': True,
            'labels': {f'other{number}': 'x' for number in range(100)},
        },
    )
    assert 'labels' in error['detail'] and 'at most 256 entries' in error['detail']
