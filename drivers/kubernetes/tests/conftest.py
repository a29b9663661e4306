"""What the tests of the driver share: example specs, a strict reader of kubeadm's documents, and
servers whose programs that change a system are stubs.
"""

import json
import re
import socket
import subprocess

import pytest
import yaml

from magnum_lite.driver_sdk import envfile
from magnum_lite.driver_sdk.testing import example
from magnum_lite_kubernetes import files, parameters
from magnum_lite_kubernetes.driver import Kubernetes

# The fields of kubeadm v1beta4, as far as drivers write them.
FIELDS = {
    'InitConfiguration': {
        'bootstrapTokens',
        'certificateKey',
        'localAPIEndpoint',
        'nodeRegistration',
        'patches',
        'skipPhases',
        'timeouts',
    },
    'ClusterConfiguration': {
        'apiServer',
        'caCertificateValidityPeriod',
        'certificateValidityPeriod',
        'certificatesDir',
        'clusterName',
        'controlPlaneEndpoint',
        'controllerManager',
        'dns',
        'encryptionAlgorithm',
        'etcd',
        'featureGates',
        'imageRepository',
        'kubernetesVersion',
        'networking',
        'proxy',
        'scheduler',
    },
    'JoinConfiguration': {
        'caCertPath',
        'controlPlane',
        'discovery',
        'nodeRegistration',
        'patches',
        'skipPhases',
        'timeouts',
    },
    'nodeRegistration': {
        'criSocket',
        'ignorePreflightErrors',
        'imagePullPolicy',
        'imagePullSerial',
        'kubeletExtraArgs',
        'name',
        'taints',
    },
    'localAPIEndpoint': {'advertiseAddress', 'bindPort'},
    'timeouts': {
        'controlPlaneComponentHealthCheck',
        'discovery',
        'etcdAPICall',
        'kubeletHealthCheck',
        'kubernetesAPICall',
        'tlsBootstrap',
        'upgradeManifests',
    },
    'bootstrapTokens': {'description', 'expires', 'groups', 'token', 'ttl', 'usages'},
    'apiServer': {'certSANs', 'extraArgs', 'extraEnvs', 'extraVolumes'},
    'controllerManager': {'extraArgs', 'extraEnvs', 'extraVolumes'},
    'networking': {'dnsDomain', 'podSubnet', 'serviceSubnet'},
    'discovery': {'bootstrapToken', 'file', 'tlsBootstrapToken'},
    'bootstrapToken': {'apiServerEndpoint', 'caCertHashes', 'token', 'unsafeSkipCAVerification'},
    'taints': {'effect', 'key', 'timeAdded', 'value'},
}


def problems(document, where):
    """What strict decoding of kubeadm v1beta4 would refuse in a part named ``where``."""
    found = []
    if isinstance(document, list):
        return [p for item in document for p in problems(item, where)]
    if not isinstance(document, dict):
        return found
    if where.endswith('xtraArgs'):
        if set(document) != {'name', 'value'} or not isinstance(document['value'], str):
            found.append(f'{where}: wants name and value, both text: {document}')
        return found
    unknown = set(document) - {'apiVersion', 'kind'} - FIELDS.get(where, set(document))
    found += [f'{where}: unknown field {name}' for name in sorted(unknown)]
    for key, value in document.items():
        if key.endswith('xtraArgs') and not isinstance(value, list):
            found.append(f'{key}: v1beta4 wants a list')
        found += problems(value, key)
    return found


def read_documents(text):
    """{kind: document} of a configuration file; each kubeadm document is strictly checked."""
    documents = {}
    for document in yaml.safe_load_all(text):
        kind, version = document['kind'], document['apiVersion']
        if version.startswith('kubeadm.k8s.io/'):
            assert version == 'kubeadm.k8s.io/v1beta4'
            assert not problems(document, kind)
        documents[kind] = document
    return documents


@pytest.fixture
def kubeadm_documents():
    """The function ``read_documents``."""
    return read_documents


@pytest.fixture
def driver():
    """The driver."""
    return Kubernetes()


@pytest.fixture
def make_spec(driver):
    """``make_spec(**changes)``: an example cluster on virtual machines."""

    def make(**changes):
        return example.spec(driver, **{'server_type': 'vm'} | changes)

    return make


STUB = r"""#!/bin/bash
name=${0##*/}
echo "$name $*" >>"$STUB_LOG"
case "$name $*" in
curl*openstack/latest/meta_data.json*) echo '{"name": "node-0", "uuid": "u"}' ;;
curl*latest/meta-data/local-ipv4*) echo 10.0.0.10 ;;
curl*/v1/enrolments) cat >>"$STUB_DIR/asked.json"
    answer=$(sed 's/.*-o \([^ ]*\).*/\1/' <<<"$*")
    cp "$STUB_DIR/bundle.json" "$answer" 2>/dev/null && printf 201 && exit
    echo '{"errors": [{"detail": "No secrets for this server: too early"}]}' >"$answer"
    printf 403 ;;
curl*/v1/enrolments/reports) cat >>"$STUB_DIR/signals.json"; printf 204 ;;
curl*auth/tokens*) cat >"$STUB_DIR/login.json"; printf 'HTTP/1.1 201\r\nX-Subject-Token: t0k\r\n' ;;
curl*/signal) cat >>"$STUB_DIR/signals.json" ;;
curl*manifests.tar.gz*) cp "$STUB_DIR/manifests.tar.gz" "$(sed 's/.*-o \([^ ]*\).*/\1/' <<<"$*")" ;;
'kubeadm version -o short') echo v1.36.2 ;;
'kubeadm init'* | 'kubeadm join'*)
    cp "${*: -1}" "$STUB_DIR/kubeadm.yaml"
    [[ $* == join* || $* == *--skip-token-print* ]] || cat "$STUB_DIR/kubeadm.yaml"  # has it
    cat "$STUB_DIR/kubeadm.out" 2>/dev/null && exit 1
    touch "$STUB_DIR/../etc/kubernetes/kubelet.conf" ;;
'containerd --version') cat "$STUB_DIR/containerd.version" ;;
'kubectl wait'*) [ ! -e "$STUB_DIR/hang" ] || sleep 60 ;;
esac
exit 0
"""
PROGRAMS = (
    'blkid',
    'containerd',
    'curl',
    'kubeadm',
    'kubectl',
    'lsblk',
    'mkfs.ext4',
    'modprobe',
    'mount',
    'mountpoint',
    'swapoff',
    'sysctl',
    'systemctl',
)


class Node:
    """A directory that scripts take for the root of a server."""

    def __init__(self, root, spec, group):
        self.root, self.stubs = root, root / 'stubs'
        etc = root / 'etc/magnum-lite'
        for path in (
            etc,
            self.stubs / 'bin',
            root / 'etc/kubernetes/pki',
            root / 'etc/modules-load.d',
            root / 'etc/sysctl.d',
            root / 'run/containerd',
            root / 'etc/systemd/system',
            root / 'usr/local/lib/magnum-lite',
        ):
            path.mkdir(parents=True, exist_ok=True)
        (root / 'etc/fstab').touch()
        for name in PROGRAMS:
            (self.stubs / 'bin' / name).write_text(STUB)
            (self.stubs / 'bin' / name).chmod(0o755)
        self.containerd('1.7.28')
        env = (
            parameters.base(spec)
            if group.is_control_plane
            else parameters.workers(spec, group, 0, group.node_count)
        )
        (etc / 'node.env').write_text(env['node_env'])
        (etc / 'stack.env').write_text(
            envfile.render({'API_INTERNAL': '10.0.0.5', 'API_EXTERNAL': '192.0.2.5'})
        )
        (etc / 'signal.json').write_text(
            json.dumps(
                {
                    'alarm_url': 'http://heat/stacks/s/resources/handle/signal',
                    'user_id': 'u',
                    'password': 'p',
                    'project_id': 'q',
                    'auth_url': 'http://keystone/v3/',
                }
            )
        )
        (etc / 'bootstrap_token').write_text('abcdef.0123456789abcdef\n')
        subprocess.run(
            [
                'openssl',
                'req',
                '-x509',
                '-newkey',
                'ec',
                '-pkeyopt',
                'ec_paramgen_curve:P-256',
                '-nodes',
                '-days',
                '1',
                '-subj',
                '/CN=ca',
                '-keyout',
                root / 'etc/kubernetes/pki/sa.key',
                '-out',
                etc / 'ca.crt',
            ],
            check=True,
            capture_output=True,
        )
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(root / 'run/containerd/containerd.sock'))
        for name in ('boot_lib.sh', 'prepare.sh', 'control_plane.sh', 'worker.sh'):
            (root / 'usr/local/lib/magnum-lite' / name).write_text(
                self.placed(files.text(f'scripts/{name}'))
            )
        for name in ('containerd_v2.toml', 'containerd_v3.toml'):
            (root / 'usr/local/lib/magnum-lite' / name).write_text(files.text(f'cloud_init/{name}'))

    def placed(self, text):
        """A script that works below this directory."""
        return re.sub(
            r'(?<![\w./$}])/(?=(etc|run|var/lib|usr/local)/)',
            f'{self.root}/',
            text.replace('/dev/console', f'{self.root}/console'),
        )

    def containerd(self, version):
        (self.stubs / 'containerd.version').write_text(
            f'containerd github.com/containerd/containerd v{version} abc\n'
        )

    def start(self, script):
        return subprocess.Popen(
            ['bash', str(self.root / 'usr/local/lib/magnum-lite' / script)],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={
                'PATH': f'{self.stubs}/bin:/usr/bin:/bin',
                'STUB_DIR': str(self.stubs),
                'STUB_LOG': str(self.stubs / 'log'),
                'TMPDIR': str(self.stubs),
            },
        )

    def boot(self, script):
        process = self.start(script)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output.decode()

    @property
    def signals(self):
        path = self.stubs / 'signals.json'
        text = path.read_text() if path.exists() else ''
        return [json.loads(part) for part in re.split(r'(?<=\})\n(?=\{)', text.strip()) if part]

    @property
    def log(self):
        path = self.stubs / 'log'
        return path.read_text().splitlines() if path.exists() else []

    def first(self, text):
        """Number of the first logged call that has ``text``."""
        return next(number for number, line in enumerate(self.log) if text in line)

    def read(self, path):
        return (self.root / path).read_text()


@pytest.fixture
def make_node(tmp_path, make_spec):
    """``make_node(role, **changes of the spec)``."""

    def make(role='master', **changes):
        spec = make_spec(**changes)
        group = spec.control_plane if role == 'master' else spec.worker_groups[0]
        return Node(tmp_path, spec, group)

    return make
