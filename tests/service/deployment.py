"""The service as operators run it: gunicorn, conductors, MariaDB, RabbitMQ, a real Heat."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests
import sqlalchemy as sa

from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.keystone import RunningKeystone
from magnum_lite_dev.state import free_port
from tests.doors import Door, before

BIN = Path(sys.executable).parent
# Only what never comes takes so long: twenty clusters took 300 s where other tests ran beside them.
PATIENCE_S = 900
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
"""
DEVELOPMENT = """
[identity]
mode = development
[development]
catalog = {catalog}
"""


@contextlib.contextmanager
def mariadb(server_url):
    """URL of a MariaDB database of its own; dropped at the end."""
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    server = sa.create_engine(server_url)
    with server.begin() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name}')
    try:
        yield f'{server_url}/{name}'
    finally:
        with server.begin() as connection:
            connection.exec_driver_sql(f'DROP DATABASE {name}')
        server.dispose()


@contextlib.contextmanager
def vhost(server_url):
    """Transport URL of a RabbitMQ vhost of its own, where this machine may make one."""
    if shutil.which('rabbitmqctl') is None or os.geteuid() != 0:
        yield f'{server_url}/'
        return
    name = f'magnum-lite-{uuid.uuid4().hex[:12]}'
    user = requests.utils.urlparse(server_url).username
    for command in (['add_vhost', name], ['set_permissions', '-p', name, user, '.*', '.*', '.*']):
        subprocess.run(['rabbitmqctl', '-q', *command], check=True, timeout=60)
    try:
        yield f'{server_url}/{name}'
    finally:
        subprocess.run(['rabbitmqctl', '-q', 'delete_vhost', name], check=True, timeout=60)


@dataclass
class Deployment:
    """A running service.

    :ivar url: base of the API.
    :ivar door: before RabbitMQ, None without a broker.
    :ivar keystone: that vouches for callers, None if nobody does.
    """

    path: Path
    url: str
    door: Door | None
    config: Path
    catalog: dict
    keystone: RunningKeystone | None = None
    processes: dict = field(default_factory=dict)

    def start(self, name, *command, **environ):
        """Start one of its processes; its output goes to ``<name>.log``."""
        with (self.path / f'{name}.log').open('a') as log:
            self.processes[name] = subprocess.Popen(
                command,
                env={**os.environ, **environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def conductor(self, name, **environ):
        """Start a conductor."""
        self.start(
            name, str(BIN / 'magnum-lite-conductor'), '--config-file', str(self.config), **environ
        )

    def stop(self, name, how=signal.SIGTERM):
        """End one of its processes, and wait for it."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how) if how == signal.SIGKILL else process.send_signal(how)
        process.wait(30)

    def end(self):
        """End all of them together: each may take some seconds."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        while self.processes:
            self.processes.popitem()[1].wait(60)

    def log(self):
        """The end of each log."""
        return '\n'.join(
            f'--- {file.name}\n{file.read_text()[-3000:]}' for file in self.path.glob('*.log')
        )

    def usage(self):
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

    def stacks(self, project):
        """{name: status} of a project's stacks in Heat."""
        reply = requests.get(
            self.catalog['orchestration'] % {'project_id': project} + '/stacks',
            headers={'X-Auth-Token': self.token(project)},
            timeout=60,
        )
        return {stack['stack_name']: stack['stack_status'] for stack in reply.json()['stacks']}

    def client(self, project='demo', user='demo', roles='member,reader'):
        """A client of a user."""
        return Client(self.url, self.token(project, user, roles))

    def token(self, project, user='admin', roles='member'):
        """A token; where Keystone makes it, the roles are those that the user has."""
        if self.keystone:
            return self.keystone.session(user, project).get_token()
        return f'{user}:{project}:{roles}'


class Client:
    """HTTP as a user sends it."""

    def __init__(self, url, token):
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(
            {'X-Auth-Token': token, 'OpenStack-API-Version': 'container-infra latest'}
        )
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
        self._session.mount('http://', adapter)

    def __call__(self, method, path, expect, body=None):
        """The body of an answer; fails unless its status is ``expect``."""
        reply = self._session.request(method, f'{self._url}/v1{path}', json=body, timeout=60)
        assert reply.status_code == expect, f'{method} {path}: {reply.status_code} {reply.text}'
        return reply.json() if reply.content else None

    def template(self, **values):
        """Make a template; its uuid."""
        return self(
            'POST',
            '/clustertemplates',
            201,
            {
                'name': 't',
                'coe': 'kubernetes',
                'image_id': 'debian-13',
                'flavor_id': 'm1.small',
                'master_flavor_id': 'm1.small',
                'external_network_id': 'public',
                **values,
            },
        )['uuid']

    def create(self, template, **values):
        """Ask for a cluster; its uuid."""
        return self(
            'POST', '/clusters', 202, {'name': 'c', 'cluster_template_id': template, **values}
        )['uuid']

    def wait(self, uuid, status='CREATE_COMPLETE', *, within_s=PATIENCE_S):
        """Wait until the cluster left its ``_IN_PROGRESS``; fails unless it is in ``status``."""
        until = time.monotonic() + within_s
        while (cluster := self('GET', f'/clusters/{uuid}', 200))['status'].endswith('_PROGRESS'):
            assert time.monotonic() < until, f'still {cluster["status"]}'
            time.sleep(0.5)
        assert cluster['status'] == status, cluster['status_reason']
        return cluster

    def gone(self, uuid, *, within_s=PATIENCE_S):
        """Wait until there is no such cluster any more."""
        until = time.monotonic() + within_s
        while True:
            reply = self._session.get(f'{self._url}/v1/clusters/{uuid}', timeout=60)
            if reply.status_code == 404:
                return
            assert 'FAILED' not in reply.text and time.monotonic() < until, reply.text
            time.sleep(0.5)


@contextlib.contextmanager
def deployment(
    path,
    heat,
    *,
    database,
    broker=None,
    keystone=None,
    conductors=2,
    workers=1,
    api_workers=2,
    lease_s=12,
    stray_s=600,
    poll_min_s=1,
    poll_max_s=5,
    notifications='noop',
):
    """A service under gunicorn with some conductors; stopped at the end.

    :param database: URL of an empty database.
    :param broker: transport URL; None does without, and sweeps find all work.
    :param keystone: a ``RunningKeystone`` that vouches for callers; None believes them.
    :param notifications: the driver of oslo.messaging for what the service tells of itself.
    """
    with contextlib.ExitStack() as stack:
        door, transport = before(stack.enter_context, Door, broker) if broker else (None, 'fake://')
        keyfile.put_first(path / 'keys', new_key())
        config = path / 'magnum-lite.conf'
        catalog = ','.join(f'{name}:{url}' for name, url in heat.catalog.items())
        config.write_text(
            CONFIG.format(
                path=path,
                transport_url=transport,
                connection=database,
                workers=workers,
                lease_s=lease_s,
                stray_s=stray_s,
                poll_min_s=poll_min_s,
                poll_max_s=poll_max_s,
                notifications=notifications,
                identity=keystone.service_options()
                if keystone
                else DEVELOPMENT.format(catalog=catalog),
            )
        )
        subprocess.run(
            [BIN / 'magnum-lite-manage', '--config-file', config, 'db', 'upgrade'],
            check=True,
            timeout=60,
        )
        port = free_port()
        running = Deployment(path, f'http://127.0.0.1:{port}', door, config, heat.catalog, keystone)
        stack.callback(running.end)
        running.start(
            'api',
            str(BIN / 'gunicorn'),
            '--workers',
            str(api_workers),
            '--threads',
            '8',
            '--worker-class',
            'gthread',
            '--keep-alive',
            '75',
            '--bind',
            f'127.0.0.1:{port}',
            'magnum_lite.api.wsgi:application',
            OS_MAGNUM_LITE_CONFIG_FILES=str(config),
        )
        for number in range(conductors):
            running.conductor(f'conductor-{number}')
        _wait_ready(running, conductors)
        yield running


def _wait_ready(running, conductors):
    until = time.monotonic() + 60
    admin = running.client('admin', 'admin', 'admin')
    while True:
        assert time.monotonic() < until, running.log()
        with contextlib.suppress(requests.ConnectionError, AssertionError):
            if admin('GET', '/mservices', 200)['mservices'] or not conductors:
                return
        time.sleep(0.3)
