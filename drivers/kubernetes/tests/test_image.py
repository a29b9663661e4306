"""What a boot asks of the image before it begins, by the stubbed programs of ``node``."""

import shutil
import tomllib

import pytest

from magnum_lite.driver_sdk import Network

pytestmark = pytest.mark.needs('jq', 'openssl')


def boot(node, role):
    return node.boot('control_plane.sh' if role == 'master' else 'worker.sh')


def test_plugins_of_plain_debian_packages_are_found(make_node):
    node = make_node()
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    # Where containerd looks, whose default this is, and where add-ons put theirs.
    for name in ('bridge', 'host-local', 'loopback', 'portmap'):
        assert (node.root / 'opt/cni/bin' / name).samefile(node.root / 'usr/lib/cni' / name)
    # The add-on copies its own there, from a container that knows nothing of /usr/lib/cni.
    assert not (node.root / 'opt/cni/bin/flannel').is_symlink()
    assert node.boot('control_plane.sh')[0] == 0


def test_plugins_that_are_in_their_place_stay(make_node):
    node = make_node()
    node.program('opt/cni/bin/bridge', '#!/bin/sh\n# another\n')
    assert node.boot('control_plane.sh')[0] == 0
    assert '# another' in node.read('opt/cni/bin/bridge')


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_an_image_without_programs_or_plugins_fails_by_name(make_node, role):
    node = make_node(role)
    for name in ('stubs/bin/runc', 'stubs/bin/kubelet', 'usr/lib/cni/portmap'):
        (node.root / name).unlink()
    assert boot(node, role)[0] != 0
    reason = node.signals[0]['reason']
    assert 'stage image, ' in reason
    assert reason.endswith('the image lacks runc, kubelet, the CNI plugin portmap')
    assert not any(line.startswith('modprobe') for line in node.log)


@pytest.mark.parametrize('wanted', [True, False])
def test_a_file_system_is_made_by_programs_that_are_there(make_node, wanted):
    node = make_node()
    node.set('CONTAINER_VOLUME', str(wanted).lower())
    node.hasten('mkfs.ext4', 'mkfs.ext4-that-is-not-there')
    assert (node.boot('control_plane.sh')[0] == 0) is not wanted
    assert ('the image lacks mkfs.ext4-that-is-not-there' in node.signals[0]['reason']) is wanted


def test_a_network_driver_of_the_operator_brings_its_own_plugins(make_node):
    node = make_node(network=Network(external_network='public', driver='calico'))
    shutil.rmtree(node.root / 'usr/lib/cni')
    code, output = node.boot('control_plane.sh')
    assert code == 0, output


def test_an_image_that_cannot_even_report_says_so_on_its_console(make_node):
    node = make_node()
    node.hasten('need curl', 'need curl-that-is-not-there')
    assert node.boot('control_plane.sh')[0] != 0
    assert 'stage image, ' in node.read('console')
    assert node.read('console').endswith('the image lacks curl-that-is-not-there\n')
    assert not any('meta_data.json' in line for line in node.log)


def test_a_kubeadm_that_cannot_read_its_configuration_is_told_by_its_version(make_node):
    node = make_node()
    node.hasten('kubeadm version -o short', 'echo v1.30.14')
    assert node.boot('control_plane.sh')[0] != 0
    assert node.signals[0]['reason'].endswith(
        'the image has Kubernetes v1.30.14, this driver needs v1.31 or later: use another image'
    )


def sandbox(node):
    config = tomllib.loads(node.read('etc/containerd/config.toml'))
    return config['plugins']['io.containerd.grpc.v1.cri']['sandbox_image']


def pulled(node):
    return [line.split()[-1] for line in node.log if ' images pull ' in line]


@pytest.mark.parametrize(
    ('config', 'image'),
    [
        ({}, 'registry.k8s.io/pause:3.10.2'),
        ({'container_infra_prefix': '10.0.0.9:5000/k/'}, '10.0.0.9:5000/k/pause:3.10.2'),
        (
            {'container_infra_prefix': '10.0.0.9:5000/k/', 'pause_tag': '3.9'},
            '10.0.0.9:5000/k/pause:3.9',
        ),
    ],
)
@pytest.mark.parametrize('role', ['master', 'worker'])
def test_the_pause_image_is_the_one_of_kubeadm(make_node, role, config, image):
    node = make_node(role, config=config)
    code, output = boot(node, role)
    assert code == 0, output
    assert sandbox(node) == image
    assert image in pulled(node)


def test_a_control_plane_fetches_what_it_will_apply_by_the_full_name(make_node):
    node = make_node()
    node.boot('control_plane.sh')
    assert pulled(node) == [
        'registry.k8s.io/pause:3.10.2',
        'docker.io/flannel/flannel-cni-plugin:v1.8.0-flannel1',
        'docker.io/flannel/flannel:v0.27.4',
    ]
    assert node.first('images pull') < node.first('kubeadm init')


def test_images_that_the_node_has_are_not_fetched(make_node):
    node = make_node('worker')
    (node.stubs / 'images').write_text('registry.k8s.io/pause:3.10.2\n')
    assert node.boot('worker.sh')[0] == 0
    assert pulled(node) == []


UNRESOLVED = 'ctr: failed to resolve reference "10.0.0.9:5000/k/pause:3.10.2": '
NOT_FOUND = (
    'time="2026-11-29T21:03:36Z" level=info msg="trying next host - response was '
    f'http.StatusNotFound" host="10.0.0.9:5000"\n{UNRESOLVED}'
    '10.0.0.9:5000/k/pause:3.10.2: not found\n'
)
NO_TLS = (
    f'{UNRESOLVED}failed to do request: Head "https://10.0.0.9:5000/v2/k/pause/manifests/'
    '3.10.2": http: server gave HTTP response to HTTPS client\n'
)


@pytest.mark.parametrize('role', ['master', 'worker'])
@pytest.mark.parametrize(
    ('words', 'told'),
    [
        (NOT_FOUND, '10.0.0.9:5000/k/pause:3.10.2: not found'),
        (
            NO_TLS,
            'http: server gave HTTP response to HTTPS client (a registry without TLS is to be '
            'named by insecure_registry)',
        ),
    ],
)
def test_an_image_that_cannot_be_had_is_told_by_its_name(make_node, role, words, told):
    node = make_node(role, config={'container_infra_prefix': '10.0.0.9:5000/k/'})
    (node.stubs / 'pull-pause:3.10.2').write_text(words)
    assert boot(node, role)[0] != 0
    assert len(pulled(node)) == 1
    reason = node.signals[0]['reason']
    assert 'stage images, ' in reason
    assert '-> ctr: failed to resolve reference "10.0.0.9:5000/k/pause:3.10.2"' in reason
    assert reason.endswith(told)


def test_what_may_heal_is_tried_again(make_node):
    node = make_node('worker')
    node.hasten('persist "$(at_most 300)" has_image', 'persist 2 has_image')
    (node.stubs / 'pull-pause:3.10.2').write_text(
        'ctr: failed to resolve reference "registry.k8s.io/pause:3.10.2": failed to do request: '
        'Head "https://registry.k8s.io/v2/pause/manifests/3.10.2": dial tcp: lookup '
        'registry.k8s.io: Temporary failure in name resolution\\n'
    )
    assert node.boot('worker.sh')[0] != 0
    # Less and less often: registries count who asks.
    assert 2 <= len(pulled(node)) <= 4
    assert 'gave up after 2 s: registry.k8s.io/pause:3.10.2 -> ' in node.signals[0]['reason']
    assert 'Temporary failure in name resolution' in node.signals[0]['reason']
