"""Servers whose programs that change a system are stubs."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from magnum_lite.driver_sdk import boot, envfile
from magnum_lite_kubernetes import files, parameters

# Stands in for each of PROGRAMS.
STUB = (Path(__file__).parent / 'stub.bash').read_text()
PROGRAMS = (
    'blkid',
    'containerd',
    'containerd-shim-runc-v2',
    'ctr',
    'curl',
    'ip',
    'iptables',
    'kubeadm',
    'kubectl',
    'kubelet',
    'lsblk',
    'mkfs.ext4',
    'modprobe',
    'mount',
    'mountpoint',
    'runc',
    'swapoff',
    'sysctl',
    'systemctl',
)
# Where Debian's package has them; others have them where containerd and add-ons look.
PLUGINS = 'usr/lib/cni'
GIVEN = 'etc/magnum-lite'
LIBRARY = 'usr/local/lib/magnum-lite'
FOLDERS = (
    GIVEN,
    LIBRARY,
    'stubs/bin',
    'etc/kubernetes/pki',
    'etc/modules-load.d',
    'etc/sysctl.d',
    'etc/systemd/system',
    'run/containerd',
)
SCRIPTS = ('prepare.sh', 'ready.sh', 'control_plane.sh', 'worker.sh', 'renew.sh')
SIGNAL = {
    'alarm_url': 'http://heat/stacks/s/resources/handle/signal',
    'user_id': 'u',
    'password': 'p',
    'project_id': 'q',
    'auth_url': 'http://keystone/v3/',
}


def ready_pod(namespace, name, label):
    """A pod that is Ready, as far as kubectl's output is looked at."""
    key, _, value = label.partition('=')
    return {
        'kind': 'Pod',
        'spec': {'nodeName': 'node-0'},
        'metadata': {'namespace': namespace, 'name': name, 'labels': {key: value}},
        'status': {'phase': 'Running', 'conditions': [{'type': 'Ready', 'status': 'True'}]},
    }


READY = {
    'flannel': ready_pod('kube-flannel', 'flannel-x7k2p', 'app=flannel'),
    'proxy': ready_pod('kube-system', 'kube-proxy-v4d9q', 'k8s-app=kube-proxy'),
    'dns': ready_pod('kube-system', 'coredns-66bc5c9577-abcde', 'k8s-app=kube-dns'),
}


class Node:
    """A directory that scripts take for the root of a server."""

    def __init__(self, root, spec, group):
        self.root, self.stubs = root, root / 'stubs'
        for path in FOLDERS:
            (root / path).mkdir(parents=True, exist_ok=True)
        (root / 'etc/fstab').touch()
        for name in ('bridge', 'host-local', 'loopback', 'portmap', 'flannel'):
            self.program(f'{PLUGINS}/{name}')
        for name in PROGRAMS:
            self.program(f'stubs/bin/{name}', STUB)
        self.containerd('1.7.28')
        self.pods()
        self.says('True', 'kubelet is posting ready status')
        self._given(spec, group)
        self._made()
        (root / LIBRARY / 'boot_lib.sh').write_text(self.placed(boot.text()))
        for name in SCRIPTS:
            (root / LIBRARY / name).write_text(self.placed(files.text(f'scripts/{name}')))
        for name in ('containerd_v2.toml', 'containerd_v3.toml'):
            (root / LIBRARY / name).write_text(files.text(f'cloud_init/{name}'))

    def _given(self, spec, group):
        """Write what cloud-init writes."""
        env = (
            parameters.base(spec)
            if group.is_control_plane
            else parameters.workers(spec, group, 0, group.node_count)
        )
        for name, text in {
            'node.env': env['node_env'],
            'manifest.json': env.get('manifest', ''),
            'stack.env': envfile.render({'API_INTERNAL': '10.0.0.5', 'API_EXTERNAL': '192.0.2.5'}),
            'signal.json': json.dumps(SIGNAL),
            'bootstrap_token': 'abcdef.0123456789abcdef\n',
        }.items():
            (self.root / GIVEN / name).write_text(text)

    def _made(self):
        """Make an authority and the socket of containerd."""
        subprocess.run(
            [
                'openssl',
                *'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'.split(),
                *'-nodes -days 1 -subj /CN=ca'.split(),
                '-keyout',
                self.root / 'etc/kubernetes/pki/sa.key',
                '-out',
                self.root / GIVEN / 'ca.crt',
            ],
            check=True,
            capture_output=True,
        )
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.root / 'run/containerd/containerd.sock'))

    def placed(self, text):
        """A script that works below this directory."""
        return re.sub(
            r'(?<![\w./$}])/(?=(etc|opt|run|var/lib|usr/lib/cni|usr/local)/)',
            f'{self.root}/',
            text.replace('/dev/console', f'{self.root}/console'),
        )

    def program(self, path, text='#!/bin/sh\n'):
        """Write an executable file."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)
        (self.root / path).chmod(0o755)

    def containerd(self, version):
        (self.stubs / 'containerd.version').write_text(
            f'containerd github.com/containerd/containerd v{version} abc\n'
        )

    def pods(self, file='pods.json', events=(), **changed):
        """What kubectl lists: all is Ready but for what is given by its name; None is not there."""
        items = [pod for pod in (READY | changed).values() if pod]
        (self.stubs / file).write_text(
            json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': [*items, *events]})
        )

    def says(self, status, message):
        """What the Node of this server says about itself."""
        (self.stubs / 'node.json').write_text(
            json.dumps(
                {
                    'apiVersion': 'v1',
                    'kind': 'Node',
                    'metadata': {'name': 'node-0'},
                    'status': {
                        'conditions': [
                            {'type': 'MemoryPressure', 'status': 'False'},
                            {'type': 'Ready', 'status': status, 'message': message},
                        ]
                    },
                }
            )
        )

    def set(self, name, value):
        """Write another value into what the driver says."""
        path = self.root / GIVEN / 'node.env'
        text, count = re.subn(rf"(?m)^({name})='.*'$", rf"\1='{value}'", path.read_text())
        assert count == 1
        path.write_text(text)

    def refuse(self, call, words, times):
        """Let the first ``times`` runs of ``program-word`` end in these words."""
        (self.stubs / 'refuse').mkdir(exist_ok=True)
        (self.stubs / 'refuse' / call).write_text(f'{words}\n' * times)

    def hasten(self, old, new):
        """Write another text into every script, such as a shorter limit."""
        found = 0
        for path in (self.root / LIBRARY).glob('*.sh'):
            text = path.read_text()
            found += text.count(old)
            path.write_text(text.replace(old, new))
        assert found, old

    def start(self, script):
        return subprocess.Popen(
            ['bash', str(self.root / LIBRARY / script)],
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
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
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

    @property
    def environment(self):
        """What kubeadm was run with, {name: text}."""
        text = (self.stubs / 'environment').read_text()
        return dict(pair.split('=', 1) for pair in text.split('\0') if pair)
