"""A real Heat, a database and workers with the tiny driver; the API is not needed here."""

import contextlib
import datetime
import time
import uuid

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.cloud import identity
from magnum_lite.cloud.heat import Heat
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.service import Worker
from magnum_lite.db import accept, migrate, store
from magnum_lite.db.engine import Database
from magnum_lite.db.tables import usages
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, Operation
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.fixture import running_heat
from tests.engine.memory import MemoryHeat
from tests.engine.tiny import Tiny

FACTS = {'image': {'id': 'i', 'name': 'debian', 'os_distro': 'debian'}}
WHO = {'mode': 'none', 'user_id': 'ann', 'roles': ['member', 'reader']}


@pytest.fixture(scope='session')
def heat(tmp_path_factory):
    """A Heat process for all tests of the engine."""
    with running_heat(tmp_path_factory.mktemp('heat')) as running:
        yield running


@pytest.fixture
def memory_heat(monkeypatch):
    """A Heat that fails as it is told, for everybody; a module whose ``heat`` it is needs no real
    one."""
    heat = MemoryHeat()
    monkeypatch.setattr(Clients, 'heat', lambda self, who: heat)
    return heat


CONFIG = """
[DEFAULT]
host = test
transport_url = {transport_url}
[database]
connection = {connection}
[identity]
mode = development
[development]
catalog = {catalog}
[secrets]
key_file = {path}/keys
[cloud]
heat_timeout_s = {heat_timeout_s}
late_s = {late_s}
[conductor]
lease_s = {lease_s}
trouble_s = {trouble_s}
heartbeat_s = 1
poll_min_s = 0.05
poll_max_s = 0.2
sweep_s = 0.1
compare_s = {compare_s}
threads = 4
listen = {listen}
"""


def write_config(path, heat, **values):
    """A configuration file in ``path`` of a service with quick timers; its path."""
    values = {
        'transport_url': 'fake://',
        'connection': f'sqlite:///{path}/m.sqlite',
        'listen': False,
        'lease_s': 30,
        'heat_timeout_s': 20,
        'trouble_s': 30,
        'compare_s': 0,
        'late_s': 600,
        **values,
    }
    catalog = ','.join(f'{name}:{url}' for name, url in heat.catalog.items())
    keyfile.put_first(path / 'keys', new_key())
    file = path / 'magnum-lite.conf'
    file.write_text(CONFIG.format(path=path, catalog=catalog, **values))
    return file


@pytest.fixture
def connection(tmp_path):
    """Where the database is."""
    return f'sqlite:///{tmp_path}/m.sqlite'


@pytest.fixture
def conf(tmp_path, heat, connection):
    """The configuration of a service on that database."""
    file = write_config(tmp_path, heat, connection=connection)
    conf = cfg.CONF
    conf.reset()
    options.register(conf)
    conf([], project='magnum-lite', default_config_files=[str(file)])
    yield conf
    conf.reset()


@pytest.fixture
def database(conf):
    """Its tables."""
    migrate.upgrade(conf)
    database = Database(conf)
    yield database
    database.dispose()


@contextlib.contextmanager
def working(conf, driver=None):
    """A worker, while the block runs."""
    worker = Worker(conf, registry=Registry({'tiny': driver or Tiny()}))
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture
def worker(conf, database):
    """A running worker."""
    with working(conf) as worker:
        yield worker


class Tenant:
    """Somebody who wants clusters, in a project of their own, and looks at them.

    Writes what the API would write, and nothing else.
    """

    def __init__(self, conf, database, project):
        self.database = database
        self.project = project
        self.who = {**WHO, 'project_id': project}
        self.heat = Heat(conf, identity.session(conf, self.who, timeout_s=20))
        self.template = ClusterTemplate.new(
            name='t', coe='tiny', image_id='debian-13', project_id=project, user_id='ann'
        )
        Registry({'tiny': Tiny()}).publish(database)
        database.write(store.insert, self.template)

    def create(self, *, nodes=1, labels=None, timeout_min=15, facts=FACTS, image='debian-13'):
        """Ask for a cluster; the operation."""
        if image != self.template.image_id:
            self.database.write(
                store.update, ClusterTemplate, {'image_id': image}, uuid=self.template.uuid
            )
        common = {'project_id': self.project, 'status': 'CREATE_IN_PROGRESS'}
        cluster = Cluster.new(
            name='c',
            cluster_template_id=self.template.uuid,
            user_id='ann',
            driver='tiny',
            driver_version=1,
            labels=labels or {},
            facts=facts,
            identity=self.who,
            **common,
        )
        groups = [
            NodeGroup.new(
                name=f'default-{role}',
                cluster_id=cluster.uuid,
                role=role,
                node_count=count,
                image_id='debian-13',
                is_default=True,
                **common,
            )
            for role, count in (('master', 1), ('worker', nodes))
        ]
        operation = self._operation(cluster, 'create')
        self.database.write(
            accept.create, cluster, groups, operation, quota=1000, timeout_min=timeout_min
        )
        return operation

    def resize(self, cluster_id, nodes, *, remove=(), name='default-worker', rollback=False):
        """Ask for another number of nodes of a group; the operation."""
        group = self.groups(cluster_id)[name]
        cluster = self.cluster(cluster_id)
        operation = self._operation(
            cluster,
            'resize',
            node_group=group.uuid,
            target={'nodes_to_remove': list(remove), 'rollback': rollback},
        )
        operation.uuid = self.database.write(
            accept.change, cluster, operation, timeout_min=15, values={'node_count': nodes}
        )
        return operation

    def add_group(self, cluster_id, name, *, nodes=1, flavor=None):
        """Ask for a node group; the operation."""
        cluster = self.cluster(cluster_id)
        group = NodeGroup.new(
            name=name,
            cluster_id=cluster.uuid,
            node_count=nodes,
            image_id='debian-13',
            project_id=self.project,
            flavor_id=flavor,
            status='CREATE_IN_PROGRESS',
        )
        operation = self._operation(cluster, 'nodegroup_create', node_group=group.uuid)
        self.database.write(accept.add_group, cluster, group, operation, timeout_min=15)
        return operation

    def remove_group(self, cluster_id, name):
        """Ask for the deletion of a node group; the operation, or None if it is under way."""
        cluster = self.cluster(cluster_id)
        operation = self._operation(
            cluster, 'nodegroup_delete', node_group=self.groups(cluster_id)[name].uuid
        )
        accepted = self.database.write(accept.remove_group, cluster, operation, timeout_min=15)
        return operation if accepted else None

    def whole(self, cluster_id, kind, **target):
        """Ask for a change of the whole cluster; the operation."""
        cluster = self.cluster(cluster_id)
        operation = self._operation(cluster, kind, target=target)
        groups = [group.uuid for group in self.groups(cluster_id).values()]
        self.database.write(
            accept.whole,
            cluster,
            operation,
            timeout_min=15,
            groups=groups if kind == 'upgrade' else [],
        )
        return operation

    def delete(self, cluster_id):
        """Ask for the deletion; the operation."""
        cluster = self.cluster(cluster_id)
        operation = self._operation(cluster, 'delete')
        assert self.database.write(accept.delete, cluster, operation, timeout_min=15)
        return operation

    def _operation(self, cluster, kind, **values):
        return Operation.new(
            cluster_id=cluster.uuid,
            kind=kind,
            reason=f'{kind} asked for',
            project_id=self.project,
            user_id='ann',
            identity=self.who,
            request_id=f'req-{uuid.uuid4()}',
            **values,
        )

    def cluster(self, uuid):
        """The cluster as it is now."""
        with self.database.read() as connection:
            return store.get(connection, Cluster, uuid)

    def groups(self, cluster_id):
        """{name: node group} of a cluster."""
        with self.database.read() as connection:
            return {
                group.name: group
                for group in store.find(connection, NodeGroup, cluster_id=cluster_id)
            }

    def operation(self, uuid):
        """The operation as it is now."""
        with self.database.read() as connection:
            return store.get(connection, Operation, uuid)

    def wait(self, operation, state='DONE', *, within_s=60):
        """Wait until an operation ended; fails unless it ended in ``state``."""
        return self.wait_for(operation, lambda now: now.ended_at, state, within_s)

    def wait_for(self, operation, condition, state=None, within_s=60):
        """Wait until the condition holds of the operation; the operation then."""
        until = time.monotonic() + within_s
        while not condition(now := self.operation(operation.uuid)):
            assert time.monotonic() < until, f'still {now.state}: {now.progress}'
            time.sleep(0.05)
        assert state in (None, now.state), f'{now.state}: {now.error_text}'
        return now

    def stacks(self):
        """{name: status} of the project's stacks in Heat."""
        return {view.name: view.status for view in self.heat.list('magnum_lite')}


@pytest.fixture
def tenant(conf, database, tmp_path):
    """A tenant."""
    return Tenant(conf, database, tmp_path.name)


class Comparing:
    """A worker's comparison, one project at a time, and how often it asked Heat for a list."""

    def __init__(self, conf, database, monkeypatch):
        self.lists = []
        self.database = database
        self.clients = Clients(conf)
        self.loop = Compare(conf, database, Registry({'tiny': Tiny()}), self.clients)
        made = self.clients._make

        def counting(who):
            heat = made(who)
            listing = heat.list
            monkeypatch.setattr(heat, 'list', lambda tag: self.lists.append(tag) or listing(tag))
            return heat

        monkeypatch.setattr(self.clients, '_make', counting)

    def due(self):
        """Let it be every project's turn."""
        long_ago = datetime.datetime(2020, 1, 1)  # noqa: DTZ001 - columns hold UTC
        self.database.write(
            lambda connection: connection.execute(usages.update().values(compare_at=long_ago))
        )

    def now(self):
        """Compare all projects once."""
        self.due()
        while self.loop.one():
            pass


@pytest.fixture
def comparing(conf, database, monkeypatch):
    """What compares."""
    conf.set_override('compare_s', 600, 'conductor')
    return Comparing(conf, database, monkeypatch)


@pytest.fixture
def driver():
    """The driver of the clusters."""
    return Tiny()


@pytest.fixture
def finish(conf, database, tenant, driver):
    """Carries an operation out."""
    manager = Manager(conf, database, Registry({'tiny': driver}), owner='me')

    def run(operation, state='DONE'):
        assert manager.claim(operation.uuid)
        tenant.wait_for(operation, lambda now: manager.step(operation.uuid) or now.ended_at, state)

    return run
