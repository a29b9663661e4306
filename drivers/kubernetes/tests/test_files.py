"""The plain files of the package, each checked as what it is: units, manifests, TOML."""

import json
import os
import subprocess
import tomllib

import pytest

from magnum_lite.driver_sdk import Network
from magnum_lite_kubernetes import files, network

UNITS = ('certificates.service', 'certificates.timer', 'metadata.service')
# systemd only warns of a key that it does not know, and goes on without it.
UNIT_KEYS = {
    'Unit': {'After', 'Before', 'Description', 'Requires', 'Wants'},
    'Service': {
        'Environment',
        'EnvironmentFile',
        'ExecStart',
        'RemainAfterExit',
        'Restart',
        'Type',
    },
    'Timer': {'OnCalendar', 'Persistent', 'RandomizedDelaySec'},
    'Install': {'RequiredBy', 'WantedBy'},
}


def unit(text):
    """{section: [(key, value), ...]} of a systemd unit."""
    found, section = {}, None
    for line in filter(None, text.splitlines()):
        if line.startswith('['):
            section = found.setdefault(line.strip('[]'), [])
        elif not line.startswith('#'):
            key, equals, value = line.partition('=')
            assert equals, line
            section.append((key, value))
    return found


@pytest.fixture
def flannel(make_spec):
    """The objects of the network driver, by kind."""
    return {item['kind']: item for item in json.loads(network.render(make_spec()))['items']}


@pytest.mark.parametrize('name', UNITS)
def test_a_unit_has_known_keys_and_absolute_programs(name):
    found = unit(files.text(f'cloud_init/{name}'))
    for section, pairs in found.items():
        assert {key for key, _ in pairs} <= UNIT_KEYS[section]
    assert all(
        value.lstrip('-').startswith('/')
        for key, value in found.get('Service', [])
        if key == 'ExecStart'
    )


@pytest.mark.needs('systemd-analyze')
@pytest.mark.parametrize('name', ['certificates.service', 'certificates.timer'])
def test_systemd_has_nothing_to_say_about_a_unit(name, tmp_path):
    for other in UNITS:
        (tmp_path / f'magnum-lite-{other}').write_text(files.text(f'cloud_init/{other}'))
    done = subprocess.run(
        ['systemd-analyze', 'verify', '--recursive-errors=no', f'magnum-lite-{name}'],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {'SYSTEMD_UNIT_PATH': f'{tmp_path}:'},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_the_kubelet_does_not_start_while_the_metadata_service_is_open():
    found = unit(files.text('cloud_init/metadata.service'))
    assert ('Before', 'kubelet.service') in found['Unit']
    assert ('RequiredBy', 'kubelet.service') in found['Install']


@pytest.mark.parametrize('version', [2, 3])
def test_containerd_files_say_the_version_they_are_for(version):
    text = files.text(f'cloud_init/containerd_v{version}.toml')
    assert tomllib.loads(text)['version'] == version


def test_the_parts_of_the_manifest_find_each_other(flannel):
    pod = flannel['DaemonSet']['spec']['template']
    assert (
        flannel['DaemonSet']['spec']['selector']['matchLabels'].items()
        <= pod['metadata']['labels'].items()
    )
    volumes = {volume['name'] for volume in pod['spec']['volumes']}
    containers = pod['spec']['initContainers'] + pod['spec']['containers']
    for container in containers:
        assert {mount['name'] for mount in container['volumeMounts']} <= volumes
    assert pod['spec']['serviceAccountName'] == flannel['ServiceAccount']['metadata']['name']
    assert (
        flannel['ClusterRoleBinding']['roleRef']['name']
        == flannel['ClusterRole']['metadata']['name']
    )
    used = [v['configMap']['name'] for v in pod['spec']['volumes'] if 'configMap' in v]
    assert used == [flannel['ConfigMap']['metadata']['name']]
    json.loads(flannel['ConfigMap']['data']['cni-conf.json'])


def test_every_taint_of_a_group_leaves_it_its_network(flannel):
    assert flannel['DaemonSet']['spec']['template']['spec']['tolerations'] == [
        {'operator': 'Exists'}
    ]


def test_the_manifest_takes_its_values_from_the_configuration(make_spec):
    spec = make_spec(
        config={
            'container_infra_prefix': '10.0.0.7:5000/k8s/',
            'flannel_tag': 'v9',
            'flannel_cni_tag': 'v8',
            'flannel_backend': 'host-gw',
            'flannel_network_cidr': '10.64.0.0/12',
        }
    )
    items = {item['kind']: item for item in json.loads(network.render(spec))['items']}
    pod = items['DaemonSet']['spec']['template']['spec']
    images = {c['image'] for c in pod['initContainers'] + pod['containers']}
    assert images == {'10.0.0.7:5000/k8s/flannel:v9', '10.0.0.7:5000/k8s/flannel-cni-plugin:v8'}
    assert json.loads(items['ConfigMap']['data']['net-conf.json']) == {
        'Network': '10.64.0.0/12',
        'Backend': {'Type': 'host-gw'},
    }


def test_another_network_driver_brings_its_own_manifests(make_spec):
    spec = make_spec(network=Network(external_network='public', driver='calico'))
    assert json.loads(network.render(spec))['items'] == []


@pytest.mark.needs(packages=['kubernetes_validate'])
def test_kubernetes_accepts_the_manifest(make_spec):
    import kubernetes_validate

    for item in json.loads(network.render(make_spec()))['items']:
        kubernetes_validate.validate(item, '1.36', strict=True)
