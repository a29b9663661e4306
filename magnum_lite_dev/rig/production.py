"""The service as operators run it: gunicorn, conductors, MariaDB, RabbitMQ, a real Heat."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.keystone_process import RunningKeystone
from magnum_lite_dev.rig.client import Client
from magnum_lite_dev.rig.doors import Door, before
from magnum_lite_dev.rig.programs import BIN, OURS, Programs
from magnum_lite_dev.state import free_port

CONFIG = """
[DEFAULT]
host = test
transport_url = {transport_url}
log_file = {path}/conductor.log
[oslo_messaging_rabbit]
kombu_reconnect_delay = 1
rabbit_retry_interval = 1
rabbit_retry_backoff = 0
rabbit_interval_max = 2
[oslo_messaging_notifications]
driver = {notifications}
[database]
connection = {connection}
max_pool_size = 20
[api]
cluster_quota = 10000
port = {port}
validate_s = {validate_s}
{identity}
[secrets]
key_file = {path}/keys
[cloud]
heat_timeout_s = 10
late_s = 15
[conductor]
workers = {workers}
lease_s = {lease_s}
heartbeat_s = 1
stray_s = {stray_s}
poll_min_s = {poll_min_s}
poll_max_s = {poll_max_s}
[health]
interval_s = {health_s}
denied_networks =
{enrolment}
"""
DEVELOPMENT = """
[identity]
mode = development
[development]
catalog = {catalog}
"""
SETTINGS = {
    'workers': 1,
    'lease_s': 12,
    'stray_s': 600,
    'poll_min_s': 1,
    'poll_max_s': 5,
    'health_s': 180,
    'notifications': 'noop',
}  # the driver of what the service tells of itself


@dataclass
class Deployment:
    """A running service.

    :ivar url: base of the API.
    :ivar programs: of the installation that is meant unless another one is named.
    :ivar door: before RabbitMQ, None without a broker.
    :ivar keystone: that vouches for callers, None if nobody does.
    """

    path: Path
    url: str
    door: Door | None
    config: Path
    catalog: dict
    keystone: RunningKeystone | None = None
    programs: Programs = OURS
    processes: dict = field(default_factory=dict)

    def start(self, name, *command, **environ) -> None:
        """Start one of its processes; its output goes to ``<name>.log``."""
        with (self.path / f'{name}.log').open('a') as log:
            self.processes[name] = subprocess.Popen(
                command,
                env={**os.environ, **environ},
                stdout=log,
                stderr=log,
                cwd=self.path,
                start_new_session=True,
            )

    def conductor(self, name, programs=None, **environ) -> None:
        """Start a conductor."""
        programs = programs or self.programs
        self.start(
            name,
            str(programs.folder / 'magnum-lite-conductor'),
            '--config-file',
            str(self.config),
            **programs.environ(),
            **environ,
        )

    def api(self, name, programs=None, *, workers=1, port=None) -> str:
        """Start an API; its URL."""
        programs, port = programs or self.programs, port or free_port()
        self.start(
            name,
            str(BIN / 'gunicorn'),
            '--workers',
            str(workers),
            '--threads',
            '8',
            '--worker-class',
            'gthread',
            '--keep-alive',
            '75',
            '--bind',
            f'127.0.0.1:{port}',
            'magnum_lite.api.wsgi:application',
            OS_MAGNUM_LITE_CONFIG_FILES=str(self.config),
            **programs.environ(),
        )
        return f'http://127.0.0.1:{port}'

    def manage(self, *words, programs=None) -> str:
        """What ``magnum-lite-manage`` prints; fails unless it succeeds."""
        programs = programs or self.programs
        ended = subprocess.run(
            [programs.folder / 'magnum-lite-manage', '--config-file', self.config, *words],
            env={**os.environ, **programs.environ()},
            cwd=self.path,
            check=False,
            timeout=60,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def stop(self, name, how=signal.SIGTERM) -> None:
        """End one of its processes, and wait for it."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how) if how == signal.SIGKILL else process.send_signal(how)
        process.wait(30)

    def end(self) -> None:
        """End all of them together: each may take some seconds."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        while self.processes:
            self.processes.popitem()[1].wait(60)

    def log(self) -> str:
        """The end of each log."""
        return '\n'.join(
            f'--- {file.name}\n{file.read_text()[-3000:]}' for file in self.path.glob('*.log')
        )

    def usage(self) -> dict[str, tuple[int, int, int]]:
        """{process: (MiB of memory, threads, file descriptors)} of all working processes."""
        found = {}
        for name, process in self.processes.items():
            for child in psutil.Process(process.pid).children(recursive=True):
                found[f'{name}/{child.pid}'] = (
                    child.memory_info().rss // 2**20,
                    child.num_threads(),
                    child.num_fds(),
                )
        return found

    def stacks(self, project) -> dict[str, str]:
        """{name: status} of a project's stacks in Heat."""
        reply = requests.get(
            self.catalog['orchestration'] % {'project_id': project} + '/stacks',
            headers={'X-Auth-Token': self.token(project)},
            timeout=60,
        )
        return {stack['stack_name']: stack['stack_status'] for stack in reply.json()['stacks']}

    def client(self, project='demo', user='demo', roles='member,reader') -> Client:
        """A client of a user."""
        return Client(self.url, self.token(project, user, roles))

    def token(self, project, user='admin', roles='member') -> str:
        """A token; where Keystone makes it, the roles are those that the user has."""
        if self.keystone:
            return self.keystone.session(user, project).get_token()
        return f'{user}:{project}:{roles}'


@contextlib.contextmanager
def deployment(
    path,
    heat,
    *,
    database,
    broker=None,
    keystone=None,
    conductors=2,
    api_workers=2,
    programs=OURS,
    boots=False,
    **settings,
) -> Iterator[Deployment]:
    """A service under gunicorn with some conductors; stopped at the end.

    :param database: URL of an empty database.
    :param broker: transport URL; None does without, and sweeps find all work.
    :param keystone: a ``RunningKeystone`` that vouches for callers; None believes them.
    :param programs: the installation that is run.
    :param boots: whether the nodes of the Heat boot, and reach the service.
    :param settings: others than those of ``SETTINGS``.
    """
    assert settings.keys() <= SETTINGS.keys(), settings
    with contextlib.ExitStack() as stack:
        door, transport = before(stack.enter_context, Door, broker) if broker else (None, 'fake://')
        keyfile.put_first(path / 'keys', new_key())
        config = path / 'magnum-lite.conf'
        port = free_port()
        config.write_text(
            CONFIG.format(
                path=path,
                port=port,
                transport_url=transport,
                connection=database,
                validate_s=2 if broker else 0,
                identity=_identity(heat, keystone),
                enrolment=f'[enrolment]\npublic_url = {heat.open_door(port)}' if boots else '',
                **SETTINGS | settings,
            )
        )
        running = Deployment(path, '', door, config, heat.catalog, keystone, programs)
        running.manage('db', 'upgrade')
        stack.callback(running.end)
        running.url = running.api('api', workers=api_workers, port=port)
        for number in range(conductors):
            running.conductor(f'conductor-{number}')
        wait_ready(running, conductors)
        yield running


def _identity(heat, keystone) -> str:
    """The part of the configuration that says who vouches for callers."""
    if keystone:
        return keystone.service_options()
    return DEVELOPMENT.format(
        catalog=','.join(f'{name}:{url}' for name, url in heat.catalog.items())
    )


def wait_ready(running, conductors=0) -> None:
    """Wait until the API answers, and one of the conductors, if there are some, has reported."""
    until = time.monotonic() + 60
    admin = running.client('admin', 'admin', 'admin')
    while True:
        assert time.monotonic() < until, running.log()
        with contextlib.suppress(requests.ConnectionError, AssertionError):
            if admin('GET', '/mservices', 200)['mservices'] or not conductors:
                return
        time.sleep(0.3)
