"""What each label changes, where somebody notices it; a label without an entry here fails.

Where a label changes nothing its schema says so by ``only_with``: users are told then.
"""

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest
import yaml

from magnum_lite.driver_sdk import Network
from magnum_lite.driver_sdk.testing import example
from magnum_lite_kubernetes import config, files

CALICO = {'network': Network(external_network='public', driver='calico')}
MIRRORED = {'container_infra_prefix': '10.0.0.7:5000/k8s/'}
DOCUMENTS = ('KUBEADM_INIT', 'KUBEADM_CLUSTER', 'KUBELET_CONFIG', 'KUBEADM_JOIN')
ARTIFACT = {'manifests_url': 'https://192.0.2.9/a.tar.gz', 'manifests_sha256': 'a' * 64}


@dataclass(frozen=True)
class Change:
    """A label, and what it changes.

    :ivar value: of the label.
    :ivar where: a path into what ``seen`` gives.
    :ivar shows: what stands there then.
    :ivar beside: other labels that it needs.
    :ivar spec: other fields of the spec that it needs.
    """

    value: Any
    where: tuple[Any, ...]
    shows: Any
    beside: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)


def both(*where):
    """A path that is looked at in both stacks; with ``Change.shows`` in each."""
    return ('both', *where)


KUBELET = ('base', 'env', 'KUBELET_CONFIG')
CLUSTER = ('base', 'env', 'KUBEADM_CLUSTER')
CHANGES = {
    'kube_tag': Change('v1.36.2', both('env', 'KUBE_TAG'), 'v1.36.2'),
    'availability_zone': Change('b', both('availability_zone'), 'b'),
    'boot_volume_size': Change(20, both('boot_volume_size'), 20),
    'boot_volume_type': Change('fast', both('boot_volume_type'), 'fast', {'boot_volume_size': 20}),
    'cgroup_driver': Change('cgroupfs', both('env', 'CGROUP_DRIVER'), 'cgroupfs'),
    'container_infra_prefix': Change(
        '10.0.0.7:5000/k8s/', (*CLUSTER, 'imageRepository'), '10.0.0.7:5000/k8s'
    ),
    'registry_mirror': Change(
        'https://m.example.org', both('env', 'REGISTRY_MIRROR'), 'https://m.example.org'
    ),
    'pause_tag': Change(
        '3.10.2', both('env', 'SANDBOX_IMAGE'), '10.0.0.7:5000/k8s/pause:3.10.2', MIRRORED
    ),
    'fixed_subnet_cidr': Change('10.8.0.0/24', ('base', 'fixed_subnet_cidr'), '10.8.0.0/24'),
    'flannel_network_cidr': Change(
        '10.192.0.0/16', (*CLUSTER, 'networking', 'podSubnet'), '10.192.0.0/16'
    ),
    'flannel_backend': Change('host-gw', ('flannel', 'Backend', 'Type'), 'host-gw'),
    'flannel_tag': Change('v9', ('images', 'flannel'), 'flannel/flannel:v9'),
    'flannel_cni_tag': Change(
        'v9', ('images', 'flannel-cni-plugin'), 'flannel/flannel-cni-plugin:v9'
    ),
    'calico_ipv4pool': Change(
        '10.192.0.0/16', both('address_pairs'), [{'ip_address': '10.192.0.0/16'}], ARTIFACT, CALICO
    ),
    'service_cluster_ip_range': Change(
        '10.96.0.0/16', (*CLUSTER, 'networking', 'serviceSubnet'), '10.96.0.0/16'
    ),
    'dns_cluster_domain': Change('k.example', (*KUBELET, 'clusterDomain'), 'k.example'),
    'max_pods': Change(50, (*KUBELET, 'maxPods'), 50),
    'expected_nodes': Change(1000, ('base', 'env', 'DNS_REPLICAS'), '6'),
    'master_lb_allowed_cidrs': Change(
        '192.0.2.0/24,10.0.0.0/8', ('base', 'api_sources'), ['192.0.2.0/24', '10.0.0.0/8']
    ),
    'manifests_url': Change(
        'https://192.0.2.9/a.tar.gz',
        ('base', 'env', 'MANIFESTS_URL'),
        'https://192.0.2.9/a.tar.gz',
        {'manifests_sha256': 'a' * 64},
    ),
    'manifests_sha256': Change(
        'a' * 64,
        ('base', 'env', 'MANIFESTS_SHA256'),
        'a' * 64,
        {'manifests_url': 'https://192.0.2.9/a.tar.gz'},
    ),
    'ssh_allowed_cidrs': Change('192.0.2.0/24', ('base', 'ssh_sources'), ['192.0.2.0/24']),
    'node_port_allowed_cidrs': Change(
        '192.0.2.0/24', ('base', 'node_port_sources'), ['192.0.2.0/24', '10.0.0.0/20']
    ),
    'certificate_days': Change(30, (*CLUSTER, 'certificateValidityPeriod'), '720h0m0s'),
    'nodes_per_stack': Change(1, ('stacks',), 3),
    'node_boot_timeout': Change(60, both('boot_timeout_s'), 60),
}
# What only the service does, or only clients read; tests/functional/test_api_declared_labels.py
# has what those change.
ELSEWHERE = {
    'min_node_count': 1,
    'max_node_count': 3,
    'auto_scaling_enabled': True,
    'auto_healing_enabled': True,
    'auto_healing_controller': 'draino',
}

# What a cluster has: its network driver, network, labels.
CLUSTERS = {
    'plain': ('flannel', None, {}),
    'calico': ('calico', None, ARTIFACT),
    'cilium': ('cilium', None, ARTIFACT),
    'given network': ('flannel', 'private', {}),
    'mirrored': ('flannel', None, MIRRORED),
    'volumes': ('flannel', None, {'boot_volume_size': 30}),
}
# Parameters that Heat is given and does not look at, by the conditions of the templates.
UNREAD = {
    'boot_volume_type': lambda found: not found['boot_volume_size'],
    'fixed_subnet_cidr': lambda found: bool(found['fixed_network']),
}


def seen(driver, spec):
    """What a plan says to who reads it, unpacked: parameters, files of nodes, documents."""
    plan = driver.plan(spec)
    found = {'stacks': len(plan.stacks)}
    for name, stack in (('base', plan.stacks[0]), ('workers', plan.stacks[1])):
        lines = dict(line.split('=', 1) for line in shlex.split(stack.parameters['node_env']))
        lines |= {key: json.loads(lines[key]) for key in DOCUMENTS if key in lines}
        found[name] = {**stack.parameters, 'env': lines}
        found[f'{name} template'] = stack.template
    for item in json.loads(found['base']['manifest'])['items']:
        if item['kind'] == 'ConfigMap':
            found['flannel'] = json.loads(item['data']['net-conf.json'])
        if item['kind'] == 'DaemonSet':
            found['images'] = {
                c['image'].split('/')[-1].split(':')[0]: c['image']
                for c in item['spec']['template']['spec']['containers']
                + item['spec']['template']['spec']['initContainers']
            }
    return found


def look(found, path):
    """What stands at a path; None where it ends early."""
    for step in path:
        found = found.get(step) if found is not None else None
    return found


def test_every_label_has_an_entry():
    assert {**CHANGES, **ELSEWHERE}.keys() == config.PROPERTIES.keys()


@pytest.mark.parametrize('name', config.PROPERTIES)
def test_values_are_those_that_requests_may_have(name):
    value = CHANGES[name].value if name in CHANGES else ELSEWHERE[name]
    jsonschema.validate(value, config.PROPERTIES[name])
    assert value != config.PROPERTIES[name].get('default')


@pytest.mark.parametrize('name', CHANGES)
def test_a_label_changes_what_it_names(name, driver, make_spec):
    change = CHANGES[name]

    def plan_of(**labels):
        spec = example.with_nodes(make_spec(config={**change.beside, **labels}, **change.spec), 2)
        if labels or name not in ARTIFACT:  # each of the two needs the other
            driver.validate(spec)
        return seen(driver, spec)

    with_it, without = plan_of(**{name: change.value}), plan_of()
    paths = (
        [(stack, *change.where[1:]) for stack in ('base', 'workers')]
        if change.where[0] == 'both'
        else [change.where]
    )
    for path in paths:
        assert look(with_it, path) == change.shows
        assert look(without, path) != change.shows
        if len(path) == 2 and path[0] in ('base', 'workers'):  # a parameter, which is read
            assert f'get_param: {path[1]}' in with_it[f'{path[0]} template']


@pytest.mark.parametrize('name', ELSEWHERE)
def test_what_others_read_changes_no_plan(name, driver, make_spec):
    assert seen(driver, make_spec(config={name: ELSEWHERE[name]})) == seen(driver, make_spec())


def read(stack):
    """What of the parameters of a stack makes a difference."""
    return {
        name: value
        for name, value in stack.parameters.items()
        if name not in UNREAD or not UNREAD[name](stack.parameters)
    }


def is_met(only_with, around):
    """Whether conditions hold, as ``drivers/README.rst`` says it (D1)."""
    return all(
        bool(around[name]) == wanted if isinstance(wanted, bool) else around[name] in wanted
        for name, wanted in only_with.items()
    )


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        (name, kind)
        for name in CHANGES
        for kind, (*_, given) in CLUSTERS.items()
        if given.get(name) != CHANGES[name].value
    ],
)
def test_a_label_says_where_it_changes_nothing(name, kind, driver, make_spec):
    network_driver, fixed_network, given = CLUSTERS[kind]
    value = CHANGES[name].value
    beside = {**CHANGES[name].beside, **given} if name in ARTIFACT else given

    def plan_of(**labels):
        spec = example.with_nodes(
            make_spec(
                config={**beside, **labels},
                network=Network(
                    external_network='public', driver=network_driver, fixed_network=fixed_network
                ),
            ),
            2,
        )
        return [(stack.name, read(stack)) for stack in driver.plan(spec)], spec

    (changed, spec), (without, _) = plan_of(**{name: value}), plan_of()
    driver.validate(spec)
    around = {**spec.config, 'network_driver': network_driver, 'fixed_network': fixed_network}
    assert (changed != without) == is_met(config.PROPERTIES[name].get('only_with', {}), around)


def test_heat_does_not_look_at_what_is_said_to_be_unread():
    base, workers = (
        yaml.safe_load(files.text(f'templates/{name}.yaml'))['resources']
        for name in ('base', 'workers')
    )
    assert base['subnet']['condition'] == 'makes_network'
    assert [name for name, resource in base.items() if 'fixed_subnet_cidr' in str(resource)] == [
        'subnet'
    ]
    for server in (base['control_plane'], workers['kube_minions']['properties']['resource_def']):
        condition, disks = server['properties']['block_device_mapping_v2']['if']
        assert condition == 'boots_from_volume' and 'boot_volume_type' in str(disks)
        assert str(server).count('boot_volume_type') == 1
