"""What the driver refuses, and how it says so."""

import dataclasses

import jsonschema
import pytest

from magnum_lite.driver_sdk import Image, Network, Rejected
from magnum_lite.driver_sdk.testing import example
from magnum_lite_swarm import config, rules

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
    'an unknown volume driver': (
        {'volume_driver': 'cinder'},
        'volume_driver',
        '"cinder" is not one of cvmfs, rexray',
    ),
    'a storage driver that wants another file system': (
        {'docker_storage_driver': 'btrfs'},
        'docker_storage_driver',
        '"btrfs" is not one of fuse-overlayfs, overlay, overlay2, vfs',
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
    'a registry with a scheme': (
        {'insecure_registry': 'http://192.0.2.9:5000'},
        'insecure_registry',
        'HOST or HOST:PORT is expected',
    ),
    'a registry without such a port': (
        {'insecure_registry': '192.0.2.9:70000'},
        'insecure_registry',
        'a port of 1 to 65535',
    ),
    'a mirror without such a port': (
        {'config': {'registry_mirror': 'https://m.example.org:70000'}},
        'labels.registry_mirror',
        'a port of 1 to 65535',
    ),
    'a proxy with a quote': ({'http_proxy': 'http://a"b'}, 'http_proxy', 'such as http://'),
    'exceptions with spaces': ({'no_proxy': 'a, b'}, 'no_proxy', 'without spaces'),
    'a port of the swarm itself': ({'apiserver_port': 2377}, 'apiserver_port', '2376'),
    'a range that goes down': (
        {'config': {'service_ports': '80,90-80'}},
        'labels.service_ports',
        '90-80 is no port or range',
    ),
    'more rules than a security group has': (
        {
            'config': {
                'service_ports': ','.join(map(str, range(1, 25))),
                'service_allowed_cidrs': '10.0.0.0/8,192.0.2.0/24',
            }
        },
        'labels.service_allowed_cidrs',
        'are 96 rules of a security group, at most 90',
    ),
    'overlays over the nodes': (
        {'config': {'overlay_address_pool': '10.0.0.0/8'}},
        'labels.fixed_subnet_cidr',
        '10.0.0.0/20 overlaps overlay_address_pool 10.0.0.0/8',
    ),
    'bridges over the overlays': (
        {'config': {'bridge_address_pool': '10.130.0.0/16'}},
        'labels.bridge_address_pool',
        'overlaps overlay_address_pool',
    ),
    'a pool with host bits': (
        {'config': {'overlay_address_pool': '10.128.0.1/16'}},
        'labels.overlay_address_pool',
        'has host bits',
    ),
    'a subnet without room': (
        {'config': {'fixed_subnet_cidr': '192.0.2.0/29'}},
        'labels.fixed_subnet_cidr',
        'has room for 4 nodes, 5 are wanted',
    ),
}


@pytest.mark.parametrize('case', REFUSED)
def test_what_cannot_work_is_refused(case, driver, make_spec):
    changes, path, reason = REFUSED[case]
    with pytest.raises(Rejected) as refusal:
        driver.validate(example.with_nodes(make_spec(**changes), 4))
    assert refusal.value.path == path
    assert reason in refusal.value.reason


@pytest.mark.parametrize('count', [0, 1, 2, 3, 4, 5, 7])
def test_managers_are_of_an_odd_number(count, driver, make_spec):
    spec = make_spec()
    managers = dataclasses.replace(spec.control_plane, node_count=count)
    spec = dataclasses.replace(spec, node_groups=(managers, *spec.worker_groups))
    if count in rules.MANAGERS:
        return driver.validate(spec)
    with pytest.raises(Rejected, match='use 1, 3 or 5'):
        driver.validate(spec)


@pytest.mark.parametrize('changes', [{'node_count': 901}, {'max_node_count': 901}])
def test_a_group_is_one_stack(changes, driver, make_spec):
    spec = make_spec(config={'fixed_subnet_cidr': '10.0.0.0/16'})
    driver.validate(example.with_nodes(spec, 900))
    with pytest.raises(Rejected, match='at most 900 nodes'):
        driver.validate(example.with_nodes(spec, **{'count': 1} | _counted(changes)))


def _counted(changes):
    return {'count' if name == 'node_count' else name: value for name, value in changes.items()}


@pytest.mark.parametrize('nodes', [2000, 1001])
def test_the_nodes_of_both_generations_have_to_find_room(nodes, driver, make_spec):
    small = make_spec(config={'fixed_subnet_cidr': '172.24.0.0/13'})
    old = dataclasses.replace(small.worker_groups[0], node_count=nodes)
    with pytest.raises(Rejected, match='at most 2000 nodes'):
        driver.validate(example.with_nodes(small, 900, generation=2, beside=(old, old)))


def test_a_group_differs_only_where_it_can(driver, make_spec):
    driver.validate(example.with_nodes(make_spec(), 1, config={'worker_availability': 'drain'}))
    with pytest.raises(Rejected) as refusal:
        driver.validate(example.with_nodes(make_spec(), 1, config={'overlay_subnet_size': 26}))
    assert refusal.value.path == 'labels.overlay_subnet_size'
    assert 'cannot differ from its cluster in this, as 26 would' in refusal.value.reason


@pytest.mark.parametrize(
    ('size', 'labels', 'path'),
    [(5, {}, 'docker_volume_size'), (None, {'boot_volume_size': 5}, 'labels.boot_volume_size')],
)
def test_physical_machines_have_no_volumes(size, labels, path, driver, make_spec):
    spec = make_spec(server_type='bm', config=labels)
    with pytest.raises(Rejected) as refusal:
        driver.validate(example.with_nodes(spec, 1, docker_volume_size=size))
    assert refusal.value.path == path


def test_a_change_of_one_group_is_not_refused_for_another(driver, make_spec):
    spec = example.with_nodes(make_spec(tls_disabled=True), 1, config={'service_ports': '80'})
    driver.validate(dataclasses.replace(spec, focus=example.CONTROL_PLANE))


# label -> (texts that are taken, texts that are not)
TEXTS = {
    'overlay_address_pool': (['10.64.0.0/12', '192.168.0.0/20'], ['10.0.0.0/7', '10.0.0.0/24', '']),
    'registry_mirror': (
        ['', 'https://m.example.org', 'http://10.0.0.8:5000/', 'https://[fd00::6]:5000'],
        ['https://a..b', 'ftp://a', 'https://a/b', 'https://a?b', 'https://u:p@a'],
    ),
    'log_options': (
        ['', 'max-size=10m', 'tag={{.Name}} x,labels=a', 'syslog-address=udp://192.0.2.9:514'],
        ['max-size', '=1', 'a=', 'a=1,', 'A=1', 'a=1,,b=2', 'a=\n'],
    ),
    'service_ports': (['80', '80,443,30000-32767'], ['', '80-', '80,', 'http', '80:90', '123456']),
    'ssh_allowed_cidrs': (['', '192.0.2.0/24,10.0.0.0/8'], ['192.0.2.7', 'any', '192.0.2.0/24, ']),
}


@pytest.mark.parametrize('label', TEXTS)
def test_a_text_that_means_nothing_is_refused(label):
    validator = jsonschema.Draft202012Validator(config.PROPERTIES[label])
    good, bad = TEXTS[label]
    assert [text for text in good if not validator.is_valid(text)] == []
    assert [text for text in bad if validator.is_valid(text)] == []
