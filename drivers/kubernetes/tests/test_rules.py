"""What the driver refuses, and how it says so."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import Image, Network, Rejected
from magnum_lite.driver_sdk.testing import example

PUBLIC = Network(external_network='public')

REFUSED = {
    'an image of another distribution': (
        {'image': Image('i', 'fcos', 'fedora-coreos')},
        'image_id',
        'debian, ubuntu',
    ),
    'an unknown kind of server': ({'server_type': 'lxd'}, 'server_type', 'bm, vm'),
    'no TLS': ({'tls_disabled': True}, 'tls_disabled', 'use false'),
    'a registry': ({'registry_enabled': True}, 'registry_enabled', 'registry_mirror'),
    'a storage driver that containerd lacks': (
        {'docker_storage_driver': 'devicemapper'},
        'docker_storage_driver',
        'use overlay2',
    ),
    'volumes without their manifests': (
        {'volume_driver': 'cinder'},
        'volume_driver',
        'manifests_url',
    ),
    'a load balancer': (
        {'network': dataclasses.replace(PUBLIC, master_lb_enabled=True)},
        'master_lb_enabled',
        'use false',
    ),
    'calico without its manifests': (
        {'network': dataclasses.replace(PUBLIC, driver='calico')},
        'network_driver',
        'flannel is built in; calico needs',
    ),
    'an artifact without its digest': (
        {'config': {'manifests_url': 'http://192.0.2.9/a'}},
        'labels.manifests_sha256',
        'manifests_url',
    ),
    'neither network': ({'network': Network()}, 'external_network_id', 'fixed_network'),
    'a floating IP from nowhere': (
        {'network': Network(fixed_network='private')},
        'external_network_id',
        'floating_ip_enabled false',
    ),
    'a subnet without its network': (
        {'network': dataclasses.replace(PUBLIC, fixed_subnet='s')},
        'fixed_subnet',
        'fixed_network',
    ),
    'two lines of key': ({'ssh_public_key': 'ssh-rsa AAAA\nruncmd: [x]'}, 'keypair', 'one line'),
    'a registry that is none': ({'insecure_registry': 'a"b'}, 'insecure_registry', 'HOST:PORT'),
    'a proxy with a quote': ({'http_proxy': 'http://a"b'}, 'http_proxy', 'http or https'),
    'exceptions with a quote': ({'no_proxy': 'a"b'}, 'no_proxy', 'hosts, domains'),
    'addresses that are none': (
        {'config': {'fixed_subnet_cidr': '10.0.0.300/24'}},
        'labels.fixed_subnet_cidr',
        '10.0.0.300/24: ',
    ),
    'a subnet with host bits': (
        {'config': {'fixed_subnet_cidr': '10.0.0.1/24'}},
        'labels.fixed_subnet_cidr',
        'host bits',
    ),
    'pods and services at the same addresses': (
        {'config': {'service_cluster_ip_range': '10.128.0.0/16'}},
        'labels.service_cluster_ip_range',
        'overlaps flannel_network_cidr 10.128.0.0/13',
    ),
    'a source that is no CIDR': (
        {'config': {'master_lb_allowed_cidrs': '10.0.0.0/24,10.0.0.0/40'}},
        'labels.master_lb_allowed_cidrs',
        '10.0.0.0/40',
    ),
    'volumes on physical machines': (
        {'server_type': 'bm', 'config': {'boot_volume_size': 10}},
        'labels.boot_volume_size',
        'use 0',
    ),
}


@pytest.mark.parametrize('name', REFUSED)
def test_what_cannot_work_is_refused_by_name(name, driver, make_spec):
    changes, path, text = REFUSED[name]
    spec = make_spec(**changes)
    with pytest.raises(Rejected) as refusal:
        driver.validate(spec)
    assert refusal.value.path == path
    assert text in refusal.value.reason


def masters(spec, count):
    return dataclasses.replace(
        spec,
        node_groups=tuple(
            dataclasses.replace(g, node_count=count) if g.is_control_plane else g
            for g in spec.node_groups
        ),
    )


GROUPS = {
    'three control-plane nodes': (lambda s: masters(s, 3), 'master_count', 'use 1'),
    'more nodes than pods have addresses': (
        lambda s: example.with_nodes(s, 2048),
        'labels.flannel_network_cidr',
        'room for 2048 nodes, 2049 are wanted',
    ),
    'more nodes than Kubernetes bears': (
        lambda s: example.with_nodes(s, 2**31 - 1),
        'node_count',
        'at most 5000 nodes',
    ),
    'more stacks than anybody wants': (
        lambda s: example.with_nodes(
            dataclasses.replace(s, config={**s.config, 'nodes_per_stack': 1}), 200
        ),
        'labels.nodes_per_stack',
        'at most 200 stacks, 201 are wanted',
    ),
    'more nodes than one stack holds': (
        lambda s: example.with_nodes(s, 1, max_node_count=901),
        'node_count',
        '900',
    ),
    'a label of the whole cluster on a group': (
        lambda s: example.with_nodes(s, 1, config={'kube_tag': 'v1.35.0'}),
        'labels.kube_tag',
        'availability_zone, boot_volume_size',
    ),
    'a docker volume on physical machines': (
        lambda s: dataclasses.replace(
            example.with_nodes(s, 1, docker_volume_size=1), server_type='bm'
        ),
        'docker_volume_size',
        'leave it out',
    ),
}


@pytest.mark.parametrize('name', GROUPS)
def test_groups_that_cannot_work_are_refused(name, driver, make_spec):
    change, path, text = GROUPS[name]
    with pytest.raises(Rejected) as refusal:
        driver.validate(change(make_spec()))
    assert refusal.value.path == path
    assert text in refusal.value.reason


def test_a_subnet_made_here_must_hold_all_nodes(driver, make_spec):
    spec = example.with_nodes(make_spec(config={'fixed_subnet_cidr': '10.0.0.0/28'}), 12)
    with pytest.raises(Rejected, match='room for 12 nodes, 13 are wanted'):
        driver.validate(spec)


@pytest.mark.parametrize(
    'changes',
    [
        {},
        {'server_type': 'bm'},
        {'docker_storage_driver': 'overlay2'},
        {'network': Network(fixed_network='private', floating_ip_enabled=False)},
        {
            'volume_driver': 'cinder',
            'network': dataclasses.replace(PUBLIC, driver='cilium'),
            'config': {'manifests_url': 'https://192.0.2.9/a', 'manifests_sha256': 'a' * 64},
        },
        {'ssh_public_key': 'sk-ssh-ed25519@openssh.com AAAA+/= me', 'discovery_url': 'http://x'},
    ],
    ids=str,
)
def test_what_works_is_accepted(changes, driver, make_spec):
    driver.validate(make_spec(**changes))
