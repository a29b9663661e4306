"""Servers whose programs that change a system are stubs."""

import json
import re
import subprocess
from pathlib import Path

from magnum_lite.driver_sdk import boot, envfile
from magnum_lite_swarm import files, parameters

# Stands in for each of PROGRAMS.
STUB = (Path(__file__).parent / 'stub.bash').read_text()
PROGRAMS = (
    'containerd',
    'curl',
    'dockerd',
    'ip',
    'iptables',
    'journalctl',
    'modprobe',
    'runc',
    'socat',
    'systemctl',
)
GIVEN = 'etc/magnum-lite'
LIBRARY = 'usr/local/lib/magnum-lite'
FOLDERS = (GIVEN, LIBRARY, 'etc/docker', 'etc/systemd/system', 'run', 'stubs/bin', 'stubs/others')
SIGNAL = {
    'alarm_url': 'http://heat/stacks/s/resources/handle/signal',
    'user_id': 'u',
    'password': 'p',
    'project_id': 'q',
    'auth_url': 'http://keystone/v3/',
}


class Node:
    """A directory that scripts take for the root of a server."""

    def __init__(self, root, spec, group, *, managers=('10.0.0.5',), index=0):
        self.root, self.stubs = root, root / 'stubs'
        for path in FOLDERS:
            (root / path).mkdir(parents=True, exist_ok=True)
        for name in PROGRAMS:
            (self.stubs / 'bin' / name).write_text(STUB)
            (self.stubs / 'bin' / name).chmod(0o755)
        is_manager = group.is_control_plane
        env = parameters.base(spec) if is_manager else parameters.workers(spec, group)
        for path, text in {
            f'{GIVEN}/node.env': env['node_env'],
            f'{GIVEN}/stack.env': envfile.render(
                {'MANAGERS': ' '.join(managers), 'API_ADDRESSES': '192.0.2.5 10.0.0.9'}
            ),
            f'{GIVEN}/signal.json': json.dumps(SIGNAL),
            f'{LIBRARY}/boot_lib.sh': self.placed(boot.text()),
            'stubs/address': managers[index] if is_manager else '10.0.0.50',
            'stubs/routes': json.dumps([{'dst': '10.0.0.0/20', 'dev': 'ens3'}]),
        }.items():
            (root / path).write_text(text)
        for name in ('engine.sh', 'manager.sh', 'worker.sh', 'door.sh'):
            (root / LIBRARY / name).write_text(self.placed(files.text(f'scripts/{name}')))
        self.authority('ca', 'docker-ca')
        (self.pki / 'ca-signs.pem').write_bytes((self.pki / 'ca.pem').read_bytes())
        (self.pki / 'ca-cross.pem').touch()
        self.authority('join-ca', 'join')
        self.openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256',
                     '-out', self.pki / 'join-key.pem')  # fmt: skip

    @property
    def pki(self):
        return self.root / 'etc/docker'

    def openssl(self, *arguments):
        done = subprocess.run(
            ['openssl', *arguments], check=True, capture_output=True, text=True, cwd=self.root
        )
        return done.stdout

    def authority(self, name, subject):
        """Make an authority and its key."""
        self.openssl(
            *'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30'.split(),
            *('-subj', f'/CN={subject}', '-keyout', self.pki / f'{name}-key.pem'),
            *('-out', self.pki / f'{name}.pem'),
        )

    def placed(self, text):
        """A script that works below this directory."""
        return re.sub(
            r'(?<![\w./$}])/(?=(etc|run|var/lib|usr/local)/)',
            f'{self.root}/',
            text.replace('/dev/console', f'{self.root}/console'),
        )

    def says(self, url, document):
        """Let another server answer at an URL, which begins with its address and port."""
        (self.stubs / 'others' / re.sub('[/?&=:]', '_', url)).write_text(json.dumps(document))

    def hasten(self, old, new):
        """Write another text into every script, such as a shorter limit."""
        for path in (self.root / LIBRARY).glob('*.sh'):
            path.write_text(path.read_text().replace(old, new))

    def boot(self, script):
        """Run it: (exit status, what it printed)."""
        done = subprocess.run(
            ['bash', str(self.root / LIBRARY / script)],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
            env={
                'PATH': f'{self.stubs}/bin:/usr/bin:/bin',
                'STUB_DIR': str(self.stubs),
                'STUB_LOG': str(self.stubs / 'log'),
                'TMPDIR': str(self.stubs),
            },
        )
        return done.returncode, done.stdout

    @property
    def signals(self):
        path = self.stubs / 'signals.json'
        text = path.read_text() if path.exists() else ''
        return [json.loads(part) for part in re.split(r'(?<=\})\n(?=\{)', text.strip()) if part]

    @property
    def log(self):
        return (self.stubs / 'log').read_text().splitlines()

    def read(self, path):
        return (self.root / path).read_text()

    def told(self, name):
        """The document that an engine was given."""
        return json.loads((self.stubs / name).read_text())
