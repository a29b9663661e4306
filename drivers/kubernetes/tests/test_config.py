"""Labels as requests are checked, before anything is made."""

import jsonschema
import pytest

from magnum_lite_kubernetes import config

NETWORKS = (
    'fixed_subnet_cidr',
    'flannel_network_cidr',
    'calico_ipv4pool',
    'service_cluster_ip_range',
)


def is_accepted(name, text):
    """Whether the schema takes a text."""
    validator = jsonschema.Draft202012Validator(config.PROPERTIES[name])
    return validator.is_valid(text)


@pytest.mark.parametrize('name', NETWORKS)
@pytest.mark.parametrize(
    'text',
    [
        '10.0.0.300/24',
        '10.0.0.0/33',
        '10.0.0/24',
        '10.0.0.0',
        'fd00::/64',
        '10.0.0.0/24,10.1.0.0/24',
        '10.0.0.0/16x',
        '',
    ],
)
def test_what_is_no_network_is_refused(name, text):
    assert not is_accepted(name, text)


@pytest.mark.parametrize(
    ('prefix', 'accepted'),
    [(11, False), (12, True), (16, True), (28, True), (29, False), (30, False)],
)
def test_services_have_as_many_addresses_as_kubeadm_takes(prefix, accepted):
    assert is_accepted('service_cluster_ip_range', f'10.0.0.0/{prefix}') is accepted


@pytest.mark.parametrize('name', NETWORKS)
def test_a_network_of_usual_size_is_accepted(name):
    assert is_accepted(name, '192.168.255.0/24') and is_accepted(name, '10.16.0.0/12')


@pytest.mark.parametrize('name', ['ssh_allowed_cidrs', 'node_port_allowed_cidrs'])
@pytest.mark.parametrize(
    ('text', 'accepted'),
    [
        ('', True),
        ('192.0.2.0/24', True),
        ('192.0.2.0/24,198.51.100.7/32', True),
        ('192.0.2.7', False),
        ('192.0.2.0/24,', False),
        ('192.0.2.0/24, 10.0.0.0/8', False),
        ('300.0.2.0/24', False),
        ('any', False),
    ],
)
def test_sources_are_networks_with_commas(name, text, accepted):
    assert is_accepted(name, text) is accepted


# label -> (texts that all readers of it understand, texts that one of them does not)
TEXTS = {
    'container_infra_prefix': (
        ['', '10.0.0.5:5000/kubernetes/', 'quay.io/', 'localhost:5000/a__b/c-d/', 'r.k8s.io/x.y/'],
        ['a//b/', 'a/../b/', 'A/', 'a.b./x/', 'x', 'a/_b/', '-a/', 'a:b/', 'a"/'],
    ),
    'registry_mirror': (
        ['', 'https://mirror.example.org', 'http://10.0.0.8:5000/v2/k', 'https://[fd00::6]:5000'],
        [
            'https://:5000',
            'https://a..b',
            'https://a:b',
            'https://a"b',
            'ftp://a',
            'https://a.',
            'https://fd00::6:5000',
        ],
    ),
    'dns_cluster_domain': (
        ['cluster.local', 'a', 'a-b.c1', 'xn--prxy-hra.example'],
        ['a..b', 'a-.b', '-a', 'a.', '.a', 'A', 'a_b', 'pröxy'],
    ),
    'fixed_subnet_cidr': (['10.0.0.0/20'], ['١0.0.0.0/20', 'fd00::/64']),
    'manifests_url': (['https://a/b?x=%40'], ["https://a/'", 'https://a/ b']),
    'flannel_tag': (['v0.27.4'], ['a b', '$(id)']),
}


@pytest.mark.parametrize('label', TEXTS)
def test_a_text_that_a_node_would_misread_is_refused(label):
    good, bad = TEXTS[label]
    for text in good:
        assert is_accepted(label, text), text
    for text in bad:
        assert not is_accepted(label, text), text
