"""The boot scripts, run by bash on this machine with every program that changes a system stubbed.

The scripts are the package's own but for the directories they work in; bash, jq, openssl, sed and
the core utilities are real.
"""

import hashlib
import json
import shutil
import subprocess
import tomllib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.needs('jq', 'openssl')


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


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_a_node_looks_after_its_certificates_from_the_start(make_node, role):
    node = make_node(role)
    node.boot('control_plane.sh' if role == 'master' else 'worker.sh')
    timer = node.first('systemctl enable --now magnum-lite-certificates.timer')
    assert node.first('kubeadm init' if role == 'master' else 'kubeadm join') < timer
    assert timer < node.first('/signal')


def test_certificates_are_valid_as_long_as_the_label_says(make_node, kubeadm_documents):
    node = make_node(config={'certificate_days': 30})
    node.boot('control_plane.sh')
    documents = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())
    assert documents['ClusterConfiguration']['certificateValidityPeriod'] == '720h0m0s'
    assert "RENEW_DAYS='10'" in node.read('etc/magnum-lite/node.env')


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


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_an_ipv6_endpoint_is_a_url_and_a_name_of_the_certificate(
    make_node, kubeadm_documents, role
):
    node = make_node(role)
    (node.root / 'etc/magnum-lite/stack.env').write_text(
        "API_INTERNAL='fd00:1::d'\nAPI_EXTERNAL=''\n"
    )
    code, output = node.boot('control_plane.sh' if role == 'master' else 'worker.sh')
    assert code == 0, output
    documents = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())
    if role == 'master':
        cluster = documents['ClusterConfiguration']
        assert cluster['controlPlaneEndpoint'] == '[fd00:1::d]:6443'
        assert cluster['apiServer']['certSANs'] == ['fd00:1::d']
    else:
        token = documents['JoinConfiguration']['discovery']['bootstrapToken']
        assert token['apiServerEndpoint'] == '[fd00:1::d]:6443'
        assert node.first('https://[fd00:1::d]:6443/livez') < node.first('kubeadm join')


def test_a_server_without_an_ipv4_address_says_so(make_node):
    node = make_node()
    stub = node.stubs / 'bin/curl'
    stub.write_text(stub.read_text().replace('echo 10.0.0.10', 'true'))
    code, _ = node.boot('control_plane.sh')
    assert code != 0
    assert 'this server has no IPv4 address' in node.signals[0]['reason']


@pytest.mark.parametrize(
    ('role', 'script', 'kind'),
    [
        ('master', 'control_plane.sh', 'InitConfiguration'),
        ('worker', 'worker.sh', 'JoinConfiguration'),
    ],
)
def test_a_node_says_which_server_it_is(make_node, kubeadm_documents, role, script, kind):
    node = make_node(role)
    node.boot(script)
    document = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())[kind]
    # spec.providerID, by which the cluster autoscaler and cloud controllers find the server.
    assert {'name': 'provider-id', 'value': 'openstack:///u'} in document['nodeRegistration'][
        'kubeletExtraArgs'
    ]


def test_slow_machines_have_the_ten_minutes_that_kubeadm_is_given(make_node, kubeadm_documents):
    node = make_node()
    node.boot('control_plane.sh')
    limits = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())['InitConfiguration'][
        'timeouts'
    ]
    # What kubeadm asks first of the API server, it asks for as long as this alone says.
    assert limits['kubernetesAPICall'] == limits['controlPlaneComponentHealthCheck'] == '10m0s'


def test_swap_stays_off_after_a_reboot(make_node):
    node = make_node('worker')
    node.boot('worker.sh')
    assert 'systemctl mask swap.target' in node.log
    kept = node.read('etc/systemd/system/kubelet.service.d/90-magnum-lite-swap.conf')
    assert kept == '[Service]\nExecStartPre=-/sbin/swapoff -a\n'
    assert node.first('mask swap.target') < node.first('systemctl daemon-reload')


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
    assert sandbox == '10.0.0.9/k/pause:3.10.2'
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
    # kubeadm writes these into the manifest of the API server, which asks the kubelets.
    for name in ('NO_PROXY', 'no_proxy'):
        assert '10.0.0.0/20' in node.environment[name].split(',')


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
