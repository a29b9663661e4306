"""Three nodes of a Galera cluster on loopback, of which one at a time is killed or cut off."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pymysql

from magnum_lite_dev.state import free_port

NODES = 3
PROVIDERS = (
    '/usr/lib/galera/libgalera_smm.so',
    '/usr/lib64/galera/libgalera_smm.so',
    '/usr/lib64/galera-4/libgalera_smm.so',
)
COMMANDS = ('mariadbd', 'mariadb-install-db', 'rsync')
# A node that joins copies everything from another; that takes seconds.
SYNC_WITHIN_S = 90
LOOK_S = 1
TIMEOUT_S = 3
OPTIONS = (
    '--bind-address=127.0.0.1',
    '--skip-name-resolve',
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
    '--innodb-buffer-pool-size=64M',
    '--innodb-flush-log-at-trx-commit=2',
    '--wsrep-on=ON',
    '--wsrep-sst-method=rsync',
)
# A silent node is given up after a few seconds instead of fifteen.
PROVIDER_OPTIONS = ('gcache.size=32M', 'evs.suspect_timeout=PT3.5S', 'evs.inactive_timeout=PT7S')


def why_missing():
    """Why there can be no Galera on this machine; None when there can."""
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if not any(map(os.path.exists, PROVIDERS)):
        missing.append('libgalera_smm.so')
    return f'Galera needs {", ".join(missing)}' if missing else None


class Node:
    """One node.

    :ivar address: (host, port) of its SQL.
    """

    def __init__(self, path, owner, logs):
        self.path = path
        self._log = logs / f'{path.name}.log'
        self.ports = {name: free_port() for name in ('sql', 'group', 'ist', 'sst')}
        self.address = '127.0.0.1', self.ports['sql']
        self._user = ['--user', owner.pw_name] if os.geteuid() == 0 else []
        path.mkdir()
        os.chown(path, owner.pw_uid, owner.pw_gid)
        self._process = None

    def install(self):
        """Make the tables of the server; those of further nodes are copied."""
        subprocess.run(
            [
                'mariadb-install-db',
                '--no-defaults',
                f'--datadir={self.path}',
                '--auth-root-authentication-method=normal',
                '--skip-test-db',
                *self._user,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self, group):
        """Start it.

        :param group: addresses of all nodes, comma-separated; empty founds a cluster.
        """
        here = {name: f'127.0.0.1:{port}' for name, port in self.ports.items()}
        options = ';'.join(
            (
                f'gmcast.listen_addr=tcp://{here["group"]}',
                f'ist.recv_addr={here["ist"]}',
                *PROVIDER_OPTIONS,
            )
        )
        with self._log.open('a') as log:
            self._process = subprocess.Popen(
                [
                    'mariadbd',
                    '--no-defaults',
                    *self._user,
                    *OPTIONS,
                    f'--datadir={self.path}',
                    f'--port={self.ports["sql"]}',
                    f'--socket={self.path}/socket',
                    f'--wsrep-provider={next(filter(os.path.exists, PROVIDERS))}',
                    f'--wsrep-cluster-address=gcomm://{group}',
                    f'--wsrep-node-name={self.path.name}',
                    f'--wsrep-node-address={here["group"]}',
                    f'--wsrep-sst-receive-address={here["sst"]}',
                    f'--wsrep-provider-options={options}',
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_running(self):
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self):
        """End its process at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def isolate(self, is_isolated):
        """Cut it off from the other nodes, or not any more; its clients reach it all the time."""
        self._ask(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(is_isolated)}'")

    @property
    def is_ready(self):
        """Whether it has what the cluster has and takes statements."""
        try:
            return self._ask("SHOW STATUS LIKE 'wsrep_local_state_comment'")[1] == 'Synced'
        except OSError:
            return False

    def _ask(self, statement):
        try:
            connection = pymysql.connect(
                host=self.address[0],
                port=self.address[1],
                user='root',
                connect_timeout=TIMEOUT_S,
                read_timeout=TIMEOUT_S,
            )
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()
        except pymysql.Error as error:
            raise OSError(f'{self.path.name} of Galera: {error}') from error


class Galera:
    """A cluster of nodes; a victim of the nemesis.

    :ivar nodes: list of ``Node``; the nemesis takes one after the other.
    """

    kinds = ('kill', 'cut off')

    def __init__(self, nodes):
        self.nodes = nodes
        self._next = 0
        self._healed = None

    def start(self, node, *, first=False):
        """Start a node and wait until it has everything.

        :raises OSError: it does not get ready.
        """
        group = ','.join(f'127.0.0.1:{node.ports["group"]}' for node in self.nodes)
        node.start('' if first else group)
        until = time.monotonic() + SYNC_WITHIN_S
        while not node.is_ready:
            if time.monotonic() > until:
                raise OSError(f'node {node.path.name} of Galera does not get ready')
            if not node.is_running:  # it came while the others changed their group
                node.start('' if first else group)
            time.sleep(LOOK_S)

    def hurt(self, kind):
        """Make a fault."""
        node = self.nodes[self._next % len(self.nodes)]
        self._next += 1
        if kind == 'kill':
            node.kill()
            self._healed = lambda: self.start(node)
        else:
            node.isolate(True)
            self._healed = lambda: self._rejoin(node)

    def heal(self):
        """Let the node join again; returns when it has everything."""
        self._healed()

    def _rejoin(self, node):
        node.isolate(False)
        until = time.monotonic() + SYNC_WITHIN_S
        while not node.is_ready:
            if time.monotonic() > until:
                raise OSError(f'node {node.path.name} of Galera does not join again')
            time.sleep(LOOK_S)


class Watch:
    """Tells a door which nodes take statements, as the checks of a load balancer do."""

    def __init__(self, nodes, door):
        self._nodes = nodes
        self._door = door
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stopping.wait(LOOK_S):
            self._door.use([node.address for node in self._nodes if node.is_ready])

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._stopping.set()
        self._thread.join()


@contextlib.contextmanager
def running_galera(logs, say):
    """A cluster of three nodes; it and its files are gone at the end.

    :param logs: a directory for the logs of the nodes.
    :param say: gets a line when it is there.
    :returns: context manager with a ``Galera``.
    :raises OSError: a node does not get ready.
    """
    # Of its own: nobody but its owner may enter the directory of the other logs.
    path = Path(tempfile.mkdtemp(prefix='magnum-lite-galera-'))
    owner = pwd.getpwnam('mysql') if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(path, owner.pw_uid, owner.pw_gid)
    galera = Galera([Node(path / f'node-{number}', owner, logs) for number in range(NODES)])
    try:
        galera.nodes[0].install()
        for node in galera.nodes:
            galera.start(node, first=node is galera.nodes[0])
        say(f'{NODES} nodes of Galera are in step')
        yield galera
    finally:
        for node in galera.nodes:
            node.kill()
        shutil.rmtree(path)
