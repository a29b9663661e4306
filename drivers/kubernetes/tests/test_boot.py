"""The boot scripts, run by bash on this machine with every program that changes a system stubbed.

The scripts are the package's own but for the directories they work in; bash, jq, openssl, sed and
the core utilities are real.
"""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import time
import tomllib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.skipif(
    not (shutil.which('jq') and shutil.which('openssl')), reason='jq and openssl are needed'
)


def test_a_control_plane_comes_up_and_says_so(make_node, kubeadm_documents):
    node = make_node()
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    assert [s['status'] for s in node.signals] == ['SUCCESS']
    assert node.signals[0]['data'] == 'v1.36.2'
    documents = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())
    init, cluster = documents['InitConfiguration'], documents['ClusterConfiguration']
    assert init['bootstrapTokens'][0]['token'] == 'abcdef.0123456789abcdef'
    assert init['nodeRegistration']['name'] == 'node-0'
    assert init['localAPIEndpoint'] == {'advertiseAddress': '10.0.0.10', 'bindPort': 6443}
    assert cluster['controlPlaneEndpoint'] == '10.0.0.5:6443'
    assert cluster['apiServer']['certSANs'] == ['10.0.0.5', '192.0.2.5']
    assert cluster['kubernetesVersion'] == 'v1.36.2'
    assert documents['KubeletConfiguration']['cgroupDriver'] == 'systemd'
    assert not (node.root / 'run/kubeadm.yaml').exists()
    assert (node.root / 'etc/kubernetes/pki/sa.pub').exists()


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_the_token_is_neither_printed_nor_kept(make_node, role):
    node = make_node(role)
    code, output = node.boot('control_plane.sh' if role == 'master' else 'worker.sh')
    assert code == 0, output
    assert 'abcdef.0123456789abcdef' not in output
    assert not (node.root / 'etc/magnum-lite/bootstrap_token').exists()


def test_a_second_boot_initialises_nothing_again(make_node):
    node = make_node()
    node.boot('control_plane.sh')
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    assert sum(line.startswith('kubeadm init') for line in node.log) == 1
    assert [s['status'] for s in node.signals] == ['SUCCESS', 'SUCCESS']


def test_the_metadata_service_is_closed_before_anything_of_kubernetes_starts(make_node):
    node = make_node()
    node.boot('control_plane.sh')
    closed = node.first('systemctl enable --now magnum-lite-metadata.service')
    assert closed < node.first('kubelet.service')
    assert closed < node.first('kubeadm init')


def test_a_node_signs_in_to_tell_heat(make_node):
    node = make_node()
    node.boot('control_plane.sh')
    login = json.loads((node.stubs / 'login.json').read_text())
    assert login['auth']['identity']['password'] == {'user': {'id': 'u', 'password': 'p'}}
    assert login['auth']['scope'] == {'project': {'id': 'q'}}
    assert any('http://keystone/v3/auth/tokens' in line for line in node.log)
    assert any('X-Auth-Token: t0k' in line and line.endswith('/signal') for line in node.log)


def test_a_worker_joins_by_the_hash_of_the_authority(make_node, kubeadm_documents):
    node = make_node('worker')
    code, output = node.boot('worker.sh')
    assert code == 0, output
    join = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())['JoinConfiguration']
    certificate = (node.root / 'etc/magnum-lite/ca.crt').read_bytes()
    key = (
        x509.load_pem_x509_certificate(certificate)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert join['discovery']['bootstrapToken'] == {
        'apiServerEndpoint': '10.0.0.5:6443',
        'token': 'abcdef.0123456789abcdef',
        'caCertHashes': [f'sha256:{hashlib.sha256(key).hexdigest()}'],
    }
    assert {'name': 'node-ip', 'value': '10.0.0.10'} in join['nodeRegistration']['kubeletExtraArgs']
    assert node.first('https://10.0.0.5:6443/livez') < node.first('kubeadm join')
    assert [s['status'] for s in node.signals] == ['SUCCESS']


def test_a_failure_says_stage_line_and_last_words(make_node):
    node = make_node()
    (node.stubs / 'kubeadm.out').write_text('preflight\nerror: port 6443 is "in use"\n')
    code, _ = node.boot('control_plane.sh')
    assert code != 0
    assert [s['status'] for s in node.signals] == ['FAILURE']
    reason = node.signals[0]['reason']
    assert re.search(
        r'stage init, line [1-9]\d*, exit 1: kubeadm init .*port 6443 is "in use"', reason
    )


def test_an_image_with_another_version_fails_by_name(make_node):
    node = make_node(config={'kube_tag': 'v1.35.0'})
    code, _ = node.boot('control_plane.sh')
    assert code != 0
    assert 'the image has Kubernetes v1.36.2, kube_tag wants v1.35.0' in node.signals[0]['reason']


def test_a_node_that_is_shut_down_in_the_middle_reports_it(make_node):
    node = make_node()
    (node.stubs / 'hang').touch()
    process = node.start('control_plane.sh')
    deadline = time.monotonic() + 30
    while not any(line.startswith('kubectl wait') for line in node.log):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    subprocess.run(['kill', '-TERM', '--', f'-{process.pid}'], check=True)
    process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)
    assert [s['status'] for s in node.signals] == ['FAILURE']
    assert 'stage ready' in node.signals[0]['reason']


@pytest.mark.parametrize(
    ('version', 'cri', 'images'),
    [
        ('1.7.28', 'io.containerd.grpc.v1.cri', 'io.containerd.grpc.v1.cri'),
        ('2.1.4', 'io.containerd.cri.v1.runtime', 'io.containerd.cri.v1.images'),
    ],
)
def test_containerd_is_configured_for_its_version(make_node, version, cri, images):
    node = make_node(
        config={
            'cgroup_driver': 'cgroupfs',
            'container_infra_prefix': '10.0.0.9/k/',
            'registry_mirror': 'https://10.0.0.8:5000',
        },
        insecure_registry='10.0.0.7:5000',
    )
    node.containerd(version)
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    config = tomllib.loads(node.read('etc/containerd/config.toml'))
    options = config['plugins'][cri]['containerd']['runtimes']['runc']['options']
    assert options['SystemdCgroup'] is False
    section = config['plugins'][images]
    sandbox = section['sandbox_image'] if cri == images else section['pinned_images']['sandbox']
    assert sandbox == '10.0.0.9/k/pause:3.10'
    insecure = tomllib.loads(node.read('etc/containerd/certs.d/10.0.0.7:5000/hosts.toml'))
    assert list(insecure['host']) == ['http://10.0.0.7:5000']
    mirror = tomllib.loads(node.read('etc/containerd/certs.d/_default/hosts.toml'))
    assert list(mirror['host']) == ['https://10.0.0.8:5000']


def test_a_proxy_is_for_the_outside_only(make_node):
    node = make_node(https_proxy='http://192.0.2.3:3128', no_proxy='example.org')
    node.boot('control_plane.sh')
    unit = node.read('etc/systemd/system/containerd.service.d/magnum-lite-proxy.conf')
    assert 'Environment="HTTPS_PROXY=http://192.0.2.3:3128"' in unit
    for inside in ('example.org', '169.254.169.254', '10.254.0.0/16', '.svc', '10.0.0.5'):
        assert inside in unit.partition('NO_PROXY=')[2]


@pytest.mark.parametrize('is_right', [True, False])
def test_an_artifact_is_applied_only_if_it_is_the_one_that_was_meant(make_node, tmp_path, is_right):
    (tmp_path / 'app.yaml').write_text('kind: List\n')
    archive = tmp_path / 'm.tar.gz'
    subprocess.run(['tar', '-czf', archive, '-C', tmp_path, 'app.yaml'], check=True)
    digest = subprocess.run(
        ['sha256sum', archive], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    node = make_node(
        config={
            'manifests_url': 'http://192.0.2.9/manifests.tar.gz',
            'manifests_sha256': digest if is_right else '0' * 64,
        }
    )
    shutil.copy(archive, node.stubs / 'manifests.tar.gz')
    node.boot('control_plane.sh')
    assert node.signals[0]['status'] == ('SUCCESS' if is_right else 'FAILURE')
    assert any('kubectl apply --recursive' in line for line in node.log) is is_right
