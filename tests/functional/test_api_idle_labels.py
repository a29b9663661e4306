"""Labels that change nothing beside the others: the answer and the journal say so."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import ClusterTemplate, DriverVersion
from magnum_lite_kubernetes.driver import Kubernetes

IDLE = {
    'pause_tag': '3.10',
    'boot_volume_type': 'fast',
    'calico_ipv4pool': '10.9.0.0/16',
    'flannel_tag': 'v9',
}
TOLD = (
    'Without effect: pause_tag (only with container_infra_prefix), boot_volume_type (only with '
    'boot_volume_size), calico_ipv4pool (only with network_driver calico)'
)
VOLUME, ZONE = {'boot_volume_size': '9'}, {'availability_zone': 'b'}


@pytest.fixture
def api(configured):
    """The service with the configuration of the Kubernetes driver."""
    with configured() as api:
        api.db.write(
            store.update,
            DriverVersion,
            {
                'config_schema': Kubernetes.config_schema,
                'capabilities': ['update', 'upgrade'],
                'config': Kubernetes().get_default_config(),
            },
            name='kubernetes',
        )
        yield api


def steps(api, cluster):
    """The journal of the newest operation."""
    path = f'/v1/clusters/{cluster}/operations'
    newest = api.ok('GET', path)['operations'][-1]['uuid']
    return [step['text'] for step in api.ok('GET', f'{path}/{newest}')['steps']]


def told(answer):
    """The text of the header."""
    assert answer.status_int < 300, answer.text
    return answer.headers.get('Warning', '').removeprefix('299 - ').strip('"')


def test_a_cluster_is_told(api):
    body = {'cluster_template_id': api.template(), 'labels': IDLE}
    answer = api.call('POST', '/v1/clusters', body)
    assert told(answer) == TOLD and steps(api, answer.json['uuid']) == [TOLD]
    assert api.ok('GET', f'/v1/clusters/{answer.json["uuid"]}')['labels'] == IDLE
    used = {
        'pause_tag': '3.10',
        'container_infra_prefix': 'r.example/',
        'flannel_tag': 'v9',
        'boot_volume_type': 'fast',
        **VOLUME,
        'fixed_network_cidr': '10.8.0.0/24',
    }
    answer = api.call('POST', '/v1/clusters', {**body, 'labels': used})
    assert told(answer) == '' and steps(api, answer.json['uuid']) == []
    answer = api.call(
        'POST',
        '/v1/clusters',
        {
            **body,
            'fixed_network': 'private',
            'labels': {'fixed_network_cidr': '10.8.0.0/24', 'npd_enabled': 'true'},
        },
    )
    assert told(answer) == (
        'Ignored, since driver kubernetes has no such labels: npd_enabled. '
        'Without effect: fixed_network_cidr (only without fixed_network)'
    )


def test_a_template_is_told_of_what_its_clusters_cannot_change(api):
    def made(**values):
        return api.call(
            'POST', '/v1/clustertemplates', {'coe': 'kubernetes', 'image_id': 'debian-13', **values}
        )

    assert (
        told(made(labels=IDLE))
        == 'Without effect: calico_ipv4pool (only with network_driver calico)'
    )
    assert (
        told(
            made(labels={'boot_volume_type': 'fast', 'boot_volume_size': '0'}, flavor_id='m1.small')
        )
        == 'Without effect: boot_volume_type (only with boot_volume_size)'
    )
    answer = made(network_driver='calico', labels={'flannel_backend': 'host-gw'})
    assert told(answer) == 'Without effect: flannel_backend (only with network_driver flannel)'
    path = f'/v1/clustertemplates/{answer.json["uuid"]}'
    assert (
        told(
            api.call(
                'PATCH',
                path,
                [{'op': 'replace', 'path': '/labels', 'value': {'calico_ipv4pool': '10.9.0.0/16'}}],
            )
        )
        == ''
    )


def test_a_group_is_told_beside_the_labels_of_its_cluster(api):
    for number, (of_cluster, own, said) in enumerate(
        (
            (ZONE, {'boot_volume_type': 'fast'}, 'boot_volume_type (only with boot_volume_size)'),
            (VOLUME, {'boot_volume_type': 'fast'}, ''),
            ({'pause_tag': '3.10'}, ZONE, ''),
        )
    ):
        cluster = api.cluster(api.template(name=f't{number}'), name=f'c{number}', labels=of_cluster)
        api.settle(cluster)
        answer = api.call(
            'POST', f'/v1/clusters/{cluster}/nodegroups', {'name': 'x', 'labels': own}
        )
        text = said and f'Without effect: {said}'
        assert told(answer) == text and steps(api, cluster) == ([text] if text else [])


def test_an_upgrade_is_told(api):
    cluster = api.cluster(api.template())
    api.settle(cluster)
    template = api.template(name='next', labels={'pause_tag': '3.10'})
    api.db.write(store.update, ClusterTemplate, {'cluster_distro': 'debian'}, uuid=template)
    answer = api.call(
        'POST', f'/v1/clusters/{cluster}/actions/upgrade', {'cluster_template': template}
    )
    assert told(answer) == 'Without effect: pause_tag (only with container_infra_prefix)'
    assert steps(api, cluster) == [told(answer)]


def test_a_driver_version_that_says_no_conditions_tells_nothing(api):
    api.db.write(
        store.update,
        DriverVersion,
        {'config_schema': {'properties': {name: {'type': 'string'} for name in IDLE}}},
        name='kubernetes',
    )
    answer = api.call(
        'POST', '/v1/clusters', {'cluster_template_id': api.template(), 'labels': IDLE}
    )
    assert told(answer) == ''
