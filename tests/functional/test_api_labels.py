"""Labels where two drivers are installed: the one that makes the cluster says what they mean."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import ClusterTemplate, DriverVersion
from tests import fixtures

ROCKETS = {
    'type': 'object',
    'additionalProperties': False,
    'properties': {
        'rocket_size': {'type': 'integer', 'minimum': 1, 'default': 1},
        'fuel_kind': {'type': 'string', 'enum': ['dry', 'wet'], 'default': 'dry'},
    },
}
WET = {'rocket_size': '2', 'fuel_kind': 'wet'}


@pytest.fixture
def api(configured):
    """The service with the drivers kubernetes and acme, and a cloud that lets all in."""
    with configured() as api:
        api.db.write(
            store.insert,
            fixtures.driver_row(name='acme', plugin_name='acme', coe='acme', config_schema=ROCKETS),
        )
        yield api


def test_what_another_driver_names_is_unknown(api):
    error = api.refused(
        400,
        'POST',
        '/v1/clustertemplates',
        {'coe': 'kubernetes', 'image_id': 'debian-13', 'labels': WET},
    )
    assert error['title'].startswith(
        'Invalid input for labels.rocket_size: the driver knows no such label'
    )
    acme, other = api.template(coe='acme', labels=WET), api.template()
    assert api.ok('GET', f'/v1/clustertemplates/{acme}')['labels'] == WET
    body = {'cluster_template_id': other, 'labels': {'fuel_kind': 'dry'}}
    api.refused(400, 'POST', '/v1/clusters', body)
    api.ok('POST', '/v1/clusters', {**body, 'cluster_template_id': acme})


def test_a_node_group_is_of_the_driver_of_its_cluster(api):
    cluster = api.cluster(api.template())
    api.settle(cluster)
    api.refused(
        400,
        'POST',
        f'/v1/clusters/{cluster}/nodegroups',
        {'name': 'x', 'labels': {'fuel_kind': 'wet'}},
    )


def test_the_driver_of_a_template_follows_its_coe(api):
    template = api.template()
    path = f'/v1/clustertemplates/{template}'
    to_acme = {'op': 'replace', 'path': '/coe', 'value': 'acme'}
    changed = api.ok('PATCH', path, [to_acme, {'op': 'replace', 'path': '/labels', 'value': WET}])
    assert (changed['coe'], changed['driver']) == ('acme', 'acme')
    assert api.ok('GET', f'/v1/clusters/{api.cluster(template)}')['driver'] == 'acme'


def test_another_driver_of_a_template_has_to_know_its_labels(api):
    path = f'/v1/clustertemplates/{api.template(coe="acme", labels=WET)}'
    for name in ('kubernetes', 'nobody'):
        api.refused(400, 'PATCH', path, [{'op': 'replace', 'path': '/driver', 'value': name}])
    assert api.ok('GET', path)['driver'] == 'acme'


def test_labels_under_other_names_are_shown_as_given(api):
    given = {
        'kube_tag': '1.36.2',
        'api_master_lb_allowed_cidrs': '192.0.2.0/24;10.0.0.0/8',
        'etcd_blockdevice_volume_type': 'fast',
        'auto_healing_enabled': 'True',
    }
    cluster = api.cluster(api.template(), labels=given)
    assert api.ok('GET', f'/v1/clusters/{cluster}')['labels'] == given


IGNORED = {'monitoring_enabled': 'True', 'kube_tag': 'v1.36.2', 'cinder_csi_enabled': 'True'}
WARNING = (
    'Ignored, since driver kubernetes has no such labels: monitoring_enabled, cinder_csi_enabled'
)


def steps(api, cluster):
    """The journal of the newest operation."""
    path = f'/v1/clusters/{cluster}/operations'
    newest = api.ok('GET', path)['operations'][-1]['uuid']
    return [step['text'] for step in api.ok('GET', f'{path}/{newest}')['steps']]


def test_labels_without_a_meaning_are_told_in_the_answer_and_in_the_journal(api):
    template = api.template()
    for path, body in (
        ('clustertemplates', {'coe': 'kubernetes', 'image_id': 'debian-13'}),
        ('clusters', {'cluster_template_id': template}),
    ):
        answer = api.call('POST', f'/v1/{path}', {**body, 'labels': IGNORED})
        assert answer.headers['Warning'] == f'299 - "{WARNING}"', answer.text
    assert steps(api, answer.json['uuid']) == [WARNING]
    answer = api.call(
        'PATCH',
        f'/v1/clustertemplates/{api.template()}',
        [{'op': 'add', 'path': '/labels/npd_enabled', 'value': '1'}],
    )
    assert answer.headers['Warning'].endswith('no such labels: npd_enabled"')
    answer = api.call('POST', '/v1/clusters', {'cluster_template_id': api.template()})
    assert 'Warning' not in answer.headers and not steps(api, answer.json['uuid'])


def test_an_upgrade_is_told_of_the_labels_that_it_brings(api):
    api.db.write(
        store.update, DriverVersion, {'capabilities': ['update', 'upgrade']}, name='kubernetes'
    )
    cluster = api.cluster(api.template())
    text = WARNING.replace(
        'monitoring_enabled, cinder_csi_enabled', 'cinder_csi_enabled, monitoring_enabled'
    )  # as they come from a row
    for wanted, said in ((IGNORED, text), ({}, None)):
        api.settle(cluster)
        template = api.template(labels=wanted)
        api.db.write(store.update, ClusterTemplate, {'cluster_distro': 'debian'}, uuid=template)
        answer = api.call(
            'POST', f'/v1/clusters/{cluster}/actions/upgrade', {'cluster_template': template}
        )
        assert answer.status_int == 202, answer.text
        assert answer.headers.get('Warning') == (said and f'299 - "{said}"')
        assert steps(api, cluster) == ([said] if said else [])


def test_a_group_is_told_of_labels_of_its_own_alone(api):
    cluster = api.cluster(api.template(), labels=IGNORED)
    api.settle(cluster)
    path = f'/v1/clusters/{cluster}/nodegroups'
    answer = api.call(
        'POST',
        path,
        {
            'name': 'x',
            'merge_labels': True,
            'labels': {'npd_enabled': 'True', 'example.org/role': 'web'},
        },
    )
    text = 'Ignored, since driver kubernetes has no such labels: npd_enabled'
    assert (answer.status_int, answer.headers['Warning']) == (202, f'299 - "{text}"')
    assert steps(api, cluster) == [text]


def test_a_warning_is_one_short_line_of_ascii(configured):
    labels = {f'\u00fc"\n\\{number}' + 'x' * 200: '1' for number in range(100)}
    with configured(api={'unknown_labels': 'accept'}) as api:
        answer = api.call(
            'POST', '/v1/clusters', {'cluster_template_id': api.template(), 'labels': labels}
        )
    text = answer.headers['Warning']
    assert answer.status_int == 202 and text.isascii() and text.isprintable()
    assert len(text) < 2000 and text.count('"') == 2 and text.endswith('and 80 more"')


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('example.org/a b', 'x', 'is no key'),
        ('Example.org/a', 'x', 'is no key'),
        ('a/b/c', 'x', 'is no key'),
        ('example.org/', 'x', 'is no key'),
        ('example.org/a', 'x,y=z', 'a value of at most 63 letters'),
        ('example.org/a', 'x y', 'a value of at most 63 letters'),
        ('example.org/a', 'x' * 64, 'a value of at most 63 letters'),
        ('node-role.kubernetes.io/worker', '', 'prefix node-role.kubernetes.io is reserved'),
    ],
)
def test_labels_of_nodes_are_checked_where_any_label_is_accepted(configured, name, text, said):
    """They reach the kubelets of the whole cluster, which do not start with them."""
    with configured(api={'unknown_labels': 'accept'}) as api:
        template, given = api.template(), {name: text}
        for method, path, body in (
            ('POST', '/v1/clusters', {'cluster_template_id': template, 'labels': given}),
            (
                'POST',
                '/v1/clustertemplates',
                {'coe': 'kubernetes', 'image_id': 'debian-13', 'labels': given},
            ),
            (
                'PATCH',
                f'/v1/clustertemplates/{template}',
                [{'op': 'replace', 'path': '/labels', 'value': given}],
            ),
        ):
            error = api.refused(400, method, path, body)
            assert error['detail'].startswith('Invalid input for labels: ')
            assert said in error['detail']


def test_labels_of_nodes_are_not_told_as_ignored(configured):
    with configured(api={'unknown_labels': 'accept'}) as api:
        answer = api.call(
            'POST',
            '/v1/clusters',
            {'cluster_template_id': api.template(), 'labels': {'example.org/role': 'web'}},
        )
    assert (answer.status_int, answer.headers.get('Warning')) == (202, None)
