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
