"""What a driver refuses of a template is refused when the template is made or changed."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import ClusterTemplate, DriverVersion

# {attribute of a template: value}, and the title of the refusal.
TEMPLATES = {
    'a load balancer': (
        {'master_lb_enabled': True},
        'master_lb_enabled: one control-plane node has no load balancer, use false',
    ),
    'no TLS': ({'tls_disabled': True}, 'tls_disabled: Kubernetes does not run without TLS'),
    'a volume driver of others': (
        {'volume_driver': 'rexray'},
        'volume_driver: one of cinder is expected, not "rexray"',
    ),
    'a registry': ({'registry_enabled': True}, 'registry_enabled: this driver installs no'),
    'a proxy without a scheme': (
        {'http_proxy': '192.0.2.7:3128'},
        'http_proxy: a URL in ASCII such as http://ann:a%2Fb@192.0.2.7:3128 is expected, not '
        '"192.0.2.7:3128"',
    ),
    'a list with spaces': (
        {'no_proxy': 'a, b'},
        'no_proxy: a list such as example.org,.internal,192.0.2.0/24 without spaces is expected, '
        'not "a, b"',
    ),
    'a registry with a scheme': (
        {'insecure_registry': 'http://192.0.2.9:5000'},
        'insecure_registry: HOST or HOST:PORT is expected, not "http://192.0.2.9:5000"',
    ),
    'two registries': (
        {'insecure_registry': '192.0.2.9,192.0.2.8'},
        'insecure_registry: HOST or HOST:PORT is expected, not "192.0.2.9,192.0.2.8"',
    ),
    'overlapping networks': (
        {'labels': {'service_cluster_ip_range': '10.128.0.0/16'}},
        'labels.service_cluster_ip_range: 10.128.0.0/16 overlaps flannel_network_cidr',
    ),
    'host bits': (
        {'labels': {'fixed_subnet_cidr': '10.0.0.1/20'}},
        'labels.fixed_subnet_cidr: 10.0.0.0/20 is expected, not "10.0.0.1/20"',
    ),
    'host bits by another name': (
        {'labels': {'fixed_network_cidr': '10.0.0.1/20'}},
        'labels.fixed_subnet_cidr: 10.0.0.0/20',
    ),
}
# What a cluster may bring.
OPEN = [
    {'network_driver': 'calico'},
    {'volume_driver': 'cinder'},
    {'external_network_id': None},
    {'fixed_subnet': 'public-v4'},
    {'labels': {'manifests_url': 'https://192.0.2.9/a'}},
    {'labels': {'flannel_network_cidr': '10.0.0.0/24', 'fixed_subnet_cidr': '10.9.0.0/24'}},
]


@pytest.mark.parametrize('name', TEMPLATES)
def test_a_template_that_says_what_its_driver_refuses_is_refused(judging, name):
    values, title = TEMPLATES[name]
    body = {'coe': 'kubernetes', 'image_id': 'debian-13', 'external_network_id': 'public'}
    error = judging.refused(400, 'POST', '/v1/clustertemplates', {**body, **values})
    assert error['title'].startswith(f'Invalid input for {title}')
    assert judging.ok('GET', '/v1/clustertemplates')['clustertemplates'] == []
    path = f'/v1/clustertemplates/{judging.template()}'
    steps = [
        {'op': 'replace', 'path': f'/{name}', 'value': value} for name, value in values.items()
    ]
    if 'registry_enabled' not in values and 'tls_disabled' not in values:
        assert judging.refused(400, 'PATCH', path, steps)['title'] == error['title']
    assert judging.ok('GET', path)['updated_at'] is None


@pytest.mark.parametrize('name', ['rexray', 'cvmfs'])
def test_a_volume_driver_is_one_that_the_driver_knows(judging, name):
    path = f'/v1/clustertemplates/{judging.template(coe="swarm", volume_driver=name)}'
    steps = [{'op': 'replace', 'path': '/volume_driver', 'value': 'cinder'}]
    error = judging.refused(400, 'PATCH', path, steps)
    assert error['title'] == (
        'Invalid input for volume_driver: one of cvmfs, rexray is expected, not "cinder"'
    )
    assert judging.ok('GET', path)['volume_driver'] == name


@pytest.mark.parametrize('values', OPEN, ids=str)
def test_a_template_may_lack_what_its_clusters_bring(judging, values):
    judging.template(**values)


def test_a_change_of_a_template_is_refused_for_what_it_changes_alone(judging):
    """One of an earlier release may say what is refused by now."""
    template = judging.template()
    judging.db.write(store.update, ClusterTemplate, {'http_proxy': 'h', 'https_proxy': 'h'})
    path = f'/v1/clustertemplates/{template}'
    for name, value in (
        ('tags', 'a'),
        ('https_proxy', 'http://192.0.2.7:3128'),
        ('flavor_id', 'm1.medium'),
    ):
        judging.ok('PATCH', path, [{'op': 'replace', 'path': f'/{name}', 'value': value}])
    judging.refused(400, 'PATCH', path, [{'op': 'replace', 'path': '/http_proxy', 'value': 'g'}])


def test_a_template_of_a_disabled_driver_is_changed_without_a_question(judging):
    path = f'/v1/clustertemplates/{judging.template()}'
    judging.db.write(store.update, DriverVersion, {'enabled': False})
    judging.ok('PATCH', path, [{'op': 'add', 'path': '/http_proxy', 'value': 'h'}])
