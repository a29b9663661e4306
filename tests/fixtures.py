"""The whole service in one process, for tests: configuration, database, application, calls."""

import contextlib
import json
import time
from pathlib import Path

import sqlalchemy as sa
import webob
from keystoneauth1 import loading
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.api.app import make_app
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import accept, migrate, operations, store
from magnum_lite.objects import DriverVersion
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.cloud import SILENT

LATEST = 'container-infra latest'
# The configuration of the driver that tests insert where no conductor does.
SCHEMA = {
    'type': 'object',
    'additionalProperties': False,
    'attributes': {'volume_driver': ['cinder']},
    'properties': {
        'boot_volume_size': {'type': 'integer', 'minimum': 0, 'default': 0},
        'kube_tag': {'type': 'string', 'pattern': '^v[0-9.]+$', 'default': 'v1.36.2'},
        'auto_healing_enabled': {'type': 'boolean', 'default': False},
        'cgroup_driver': {'type': 'string', 'enum': ['systemd', 'cgroupfs'], 'default': 'systemd'},
    },
}
_EMPTY = []  # the file of SQLite with all tables and no rows, once there is one


def make_conf(folder, *, connection=None, catalog=None, transport_url='fake://', **groups):
    """The global configuration, loaded anew.

    :param folder: where the files of the service go.
    :param connection: SQLAlchemy URL; None for a file of SQLite in ``folder``.
    :param catalog: {service type: URL} of the cloud; None for a cloud that does not answer.
    :param groups: ``group={option: value}``, on top.
    """
    key_file = folder / 'keys'
    if not key_file.exists():
        keyfile.put_first(key_file, new_key())
    catalog = catalog or dict.fromkeys(('compute', 'image', 'network', 'orchestration'), SILENT)
    wanted = {
        'DEFAULT': {'transport_url': transport_url, 'host': 'here'},
        'database': {'connection': connection or f'sqlite:///{folder}/magnum_lite.db'},
        'identity': {'mode': 'development'},
        'development': {'catalog': ','.join(f'{name}:{url}' for name, url in catalog.items())},
        'secrets': {'key_file': key_file},
        'api': {'validate_s': 0},  # most tests have no conductor, whose silence takes time
        'conductor': {'poll_min_s': 0.1, 'poll_max_s': 1, 'sweep_s': 0.2, 'listen': False},
        'oslo_policy': {'policy_file': folder / 'policy.yaml'},
    }
    for name, values in groups.items():
        wanted[name] = {**wanted.get(name, {}), **values}
    path = folder / 'magnum-lite.conf'
    path.write_text(
        '\n'.join(
            f'[{name}]\n' + ''.join(f'{key} = {value}\n' for key, value in values.items())
            for name, values in wanted.items()
        )
    )
    conf = cfg.CONF
    conf.reset()
    options.register(conf)
    conf([], project='magnum-lite', default_config_files=[str(path)])
    return conf


def forget_conf():
    """Leave the global configuration as a fresh process has it."""
    cfg.CONF.reset()
    # The options of a Keystone's plugin stay there, and others do not set what they require.
    for group in ('keystone_authtoken', 'service_auth', 'account'):
        with contextlib.suppress(cfg.NoSuchGroupError):
            cfg.CONF.unregister_opts(loading.get_auth_plugin_conf_options('password'), group)


@contextlib.contextmanager
def fresh_conf():
    """The global configuration as a fresh process has it, whatever a test before has left there."""
    forget_conf()
    try:
        yield
    finally:
        forget_conf()


@contextlib.contextmanager
def service(conf, *, driver=True):
    """The application over a database of this release; yields an ``Api``.

    :param driver: whether to insert its row, as a conductor would.
    """
    _make_tables(conf)
    application = make_app(conf)
    if driver:
        application.service.db.write(store.insert, driver_row())
    try:
        yield Api(application)
    finally:
        application.close()


def _make_tables(conf):
    """As ``migrate.upgrade``, which takes as long as a short test: once for all files of SQLite."""
    file = Path(sa.make_url(conf.database.connection).database)
    if not conf.database.connection.startswith('sqlite') or file.exists():
        migrate.upgrade(conf)
        return
    if not _EMPTY:
        migrate.upgrade(conf)
        _EMPTY.append(file.read_bytes())
    file.write_bytes(_EMPTY[0])


@contextlib.contextmanager
def working(conf, driver):
    """``service`` with a worker, which has one driver."""
    with service(conf, driver=False) as running:
        worker = Worker(conf, registry=Registry({driver.name: driver}))
        worker.start()
        try:
            yield running
        finally:
            worker.stop()


def driver_row(**values):
    """A version of a driver as a conductor publishes it."""
    return DriverVersion.new(
        **{
            'name': 'kubernetes',
            'plugin_name': 'kubernetes',
            'plugin_version': '1.0.0',
            'coe': 'kubernetes',
            'server_types': ['bm', 'vm'],
            'distros': ['debian', 'ubuntu'],
            'capabilities': ['scale_manager', 'update'],
            'config_schema': SCHEMA,
            **values,
        }
    )


class Api:
    """Calls the application as a client would.

    :ivar application: the WSGI application; its ``service`` has the database.
    """

    def __init__(self, application):
        self.application = application
        self.db = application.service.db

    def call(self, method, path, body=None, *, token='alice:red', version=LATEST, headers=()):
        """A ``webob.Response``; ``body`` is sent as JSON, bytes as they are."""
        request = webob.Request.blank(path, method=method, environ={'REMOTE_ADDR': '127.0.0.1'})
        if body is not None:
            request.body = body if isinstance(body, bytes) else json.dumps(body).encode()
            request.content_type = 'application/json'
        if token:
            request.headers['X-Auth-Token'] = token
        if version:
            request.headers['OpenStack-API-Version'] = version
        request.headers.update(headers)
        return request.get_response(self.application)

    def ok(self, method, path, body=None, **more):
        """The document of a call that has to succeed."""
        response = self.call(method, path, body, **more)
        assert response.status_int < 300, (method, path, response.status, response.text)
        return response.json if response.body else None

    def refused(self, status, method, path, body=None, **more):
        """The error of a call that has to fail with ``status``."""
        response = self.call(method, path, body, **more)
        assert response.status_int == status, (method, path, response.status, response.text)
        return response.json['errors'][0]

    def template(self, *, token='alice:red', **values):
        """Uuid of a new template."""
        body = {
            'name': 'small',
            'coe': 'kubernetes',
            'image_id': 'debian-13',
            'flavor_id': 'm1.small',
            'master_flavor_id': 'm1.medium',
            'external_network_id': 'public',
            **values,
        }
        return self.ok('POST', '/v1/clustertemplates', body, token=token)['uuid']

    def cluster(self, template, *, token='alice:red', **values):
        """Uuid of a new cluster."""
        body = {'name': 'c1', 'cluster_template_id': template, **values}
        return self.ok('POST', '/v1/clusters', body, token=token)['uuid']

    def complete(self, template, **values):
        """Path of a new cluster that is complete."""
        uuid = self.cluster(template, **values)
        self.settle(uuid)
        return f'/v1/clusters/{uuid}'

    def wait(self, path, *, status, within_s=PATIENCE_S, **more):
        """The document at ``path`` once its status is no longer in progress."""
        until = time.monotonic() + within_s
        while (shown := self.ok('GET', path, **more))['status'].endswith('IN_PROGRESS'):
            assert time.monotonic() < until, self._journal(path, shown, **more)
            time.sleep(0.05)
        assert shown['status'] == status, self._journal(path, shown, **more)
        return shown

    def _journal(self, path, shown, **more):
        """What a failed test tells of a cluster or a node group: itself and its operations."""
        cluster = path.partition('/nodegroups')[0]
        operations = self.call('GET', f'{cluster}/operations', **more)
        return f'{shown}\n{operations.text}'

    def gone(self, path, *, within_s=PATIENCE_S, **more):
        """Wait until nothing is at ``path``."""
        until = time.monotonic() + within_s
        while self.call('GET', path, **more).status_int == 200 and time.monotonic() < until:
            time.sleep(0.05)
        self.refused(404, 'GET', path, **more)

    def settle(self, cluster, status='CREATE_COMPLETE'):
        """Give a cluster a status, as a conductor would, and end its operation."""
        self.db.write(settle, cluster, status)


def patch(name, value):
    """A JSON-Patch document that sets an attribute."""
    return [{'op': 'replace', 'path': f'/{name}', 'value': value}]


def settle(connection, cluster, status):
    """As ``Api.settle``, in a transaction."""
    from magnum_lite.objects import Cluster, NodeGroup, Operation

    values = {'status': status, 'status_reason': None}
    address = {'api_address': 'https://192.0.2.7:6443'} if status.endswith('COMPLETE') else {}
    store.update(connection, Cluster, {**values, **address}, uuid=cluster)
    store.update(connection, NodeGroup, values, cluster_id=cluster)
    store.update(connection, Operation, {'state': 'DONE', 'slot': None}, cluster_id=cluster)


def accepted(database, cluster, operation, change, *, timeout_min=9, **how):
    """What ``accept.accept`` says of a change, be it a creation, in a transaction."""
    if change.kind == 'create':
        uuid = database.write(
            operations.create, cluster, operation, change, timeout_min=timeout_min, quota=1000
        )
        return uuid, change
    return database.write(accept.accept, cluster, operation, change, timeout_min=timeout_min, **how)
