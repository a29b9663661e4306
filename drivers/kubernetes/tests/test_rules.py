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
    'a volume driver of others': (
        {
            'volume_driver': 'rexray',
            'config': {'manifests_url': 'https://192.0.2.9/a', 'manifests_sha256': 'a' * 64},
        },
        'volume_driver',
        '"rexray" is not one of cinder',
    ),
    'volumes without their manifests': (
        {'volume_driver': 'cinder'},
        'labels.manifests_url',
        'volume_driver cinder needs',
    ),
    'a load balancer': (
        {'network': dataclasses.replace(PUBLIC, master_lb_enabled=True)},
        'master_lb_enabled',
        'use false',
    ),
    'calico without its manifests': (
        {'network': dataclasses.replace(PUBLIC, driver='calico')},
        'labels.manifests_url',
        'network_driver calico needs',
    ),
    'an artifact without its digest': (
        {'config': {'manifests_url': 'http://192.0.2.9/a'}},
        'labels.manifests_sha256',
        'manifests_url',
    ),
    'a digest without its artifact': (
        {'config': {'manifests_sha256': 'a' * 64}},
        'labels.manifests_url',
        'manifests_sha256',
    ),
    'a Kubernetes of before what it is configured by': (
        {'config': {'kube_tag': 'v1.30.14'}},
        'labels.kube_tag',
        'v1.30.14 is too old, use v1.31 or later',
    ),
    'neither network': ({'network': Network()}, 'external_network_id', 'fixed_network'),
    'a floating IP from nowhere': (
        {'network': Network(fixed_network='private')},
        'external_network_id',
        'floating_ip_enabled false',
    ),
    'a subnet without its network': (
        {'network': dataclasses.replace(PUBLIC, fixed_subnet='s')},
        'fixed_network',
        'network of fixed_subnet s',
    ),
    'two lines of key': ({'ssh_public_key': 'ssh-rsa AAAA\nruncmd: [x]'}, 'keypair', 'one line'),
    'a registry that is none': ({'insecure_registry': 'a"b'}, 'insecure_registry', 'HOST:PORT'),
    'a registry with a scheme': (
        {'insecure_registry': 'http://192.0.2.9:5000'},
        'insecure_registry',
        'HOST or HOST:PORT is expected, not "http://192.0.2.9:5000"',
    ),
    'two registries': (
        {'insecure_registry': '192.0.2.9,192.0.2.10'},
        'insecure_registry',
        'not "192.0.2.9,192.0.2.10"',
    ),
    'a proxy with a quote': (
        {'http_proxy': 'http://a"b'},
        'http_proxy',
        r'expected, not "http://a\"b"',
    ),
    'a proxy without a scheme': (
        {'https_proxy': '192.0.2.7:3128'},
        'https_proxy',
        'such as http://ann:a%2Fb@192.0.2.7:3128 is expected, not "192.0.2.7:3128"',
    ),
    'a proxy with a password': (
        {'http_proxy': 'ftp://ann:se/cret@192.0.2.7'},
        'http_proxy',
        'not "ftp://***@192.0.2.7"',
    ),
    'exceptions with a quote': ({'no_proxy': 'a"b'}, 'no_proxy', 'a list such as'),
    'exceptions with a space': ({'no_proxy': 'a, b'}, 'no_proxy', 'not "a, b"'),
    'a long text': ({'no_proxy': 'a b' * 90}, 'no_proxy', 'a ba ba b..."'),
    'a registry above': ({'insecure_registry': '..'}, 'insecure_registry', 'HOST:PORT'),
    'a registry whose name does not end': (
        {'insecure_registry': 'registry.example.:5000'},
        'insecure_registry',
        'HOST:PORT',
    ),
    'a registry without a port of this world': (
        {'insecure_registry': '10.0.0.7:70000'},
        'insecure_registry',
        '1 to 65535',
    ),
    'a mirror at no port': (
        {'config': {'registry_mirror': 'https://a:0/b'}},
        'labels.registry_mirror',
        '1 to 65535',
    ),
    'a mirror at no address': (
        {'config': {'registry_mirror': 'https://[fd00:::1]'}},
        'labels.registry_mirror',
        'IPv6',
    ),
    'images at no port': (
        {'config': {'container_infra_prefix': 'a:99999/'}},
        'labels.container_infra_prefix',
        '1 to 65535',
    ),
    'addresses that are none': (
        {'config': {'fixed_subnet_cidr': '10.0.0.300/24'}},
        'labels.fixed_subnet_cidr',
        'such as 192.0.2.0/24 is expected, not "10.0.0.300/24"',
    ),
    'a subnet with host bits': (
        {'config': {'fixed_subnet_cidr': '10.0.0.1/24'}},
        'labels.fixed_subnet_cidr',
        '10.0.0.0/24 is expected, not "10.0.0.1/24", which has host bits',
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
    'a source of ssh with host bits': (
        {'config': {'ssh_allowed_cidrs': '192.0.2.7/24'}},
        'labels.ssh_allowed_cidrs',
        '"192.0.2.7/24", which has host bits',
    ),
    'a source of node ports with host bits': (
        {'config': {'node_port_allowed_cidrs': '10.0.0.0/8,192.0.2.7/24'}},
        'labels.node_port_allowed_cidrs',
        '192.0.2.7/24',
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
        'auto_scaling_enabled, availability_zone, boot_volume_size',
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


def test_a_change_of_one_group_is_refused_for_what_it_touches_alone(driver, make_spec):
    spec = example.with_nodes(make_spec(http_proxy='192.0.2.7'), 1, config={'kube_tag': 'v1.35.0'})
    group, other = spec.worker_groups[0].uuid, spec.control_plane.uuid
    driver.validate(dataclasses.replace(spec, focus=other))
    with pytest.raises(Rejected, match='cannot differ from its cluster in this, as "v1.3'):
        driver.validate(dataclasses.replace(spec, focus=group))
    with pytest.raises(Rejected, match='http_proxy'):
        driver.validate(spec)
    with pytest.raises(Rejected, match='2049 are wanted'):
        driver.validate(dataclasses.replace(example.with_nodes(spec, 2048), focus=other))


def test_a_group_is_scaled_by_labels_of_its_own(driver, make_spec):
    driver.validate(
        example.with_nodes(
            make_spec(),
            1,
            max_node_count=2,
            config={'auto_scaling_enabled': True, 'min_node_count': 0, 'max_node_count': 2},
        )
    )


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


def test_a_prefix_may_be_spelled_with_a_zero(driver, make_spec):
    driver.validate(make_spec(config={'master_lb_allowed_cidrs': '10.0.0.0/08,192.0.2.7/32'}))
