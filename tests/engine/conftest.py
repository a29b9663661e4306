"""A real Heat, a database and workers with the tiny driver; the API is not needed here."""

import contextlib

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.conductor.heat.backend import HeatBackend
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import migrate, store
from magnum_lite.db.engine import Database
from magnum_lite.objects import Cluster
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.fixture import running_heat
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.comparing import Comparing
from tests.engine.looked import ADDRESS, Looking
from tests.engine.memory import MemoryHeat
from tests.engine.tenant import Tenant
from tests.engine.tiny_files import TinyFiles

# Of a module whose tests are of both kinds of drivers: with Heat and without.
BOTH = pytest.mark.parametrize('driver', ['heat', 'files'], indirect=True)


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
    monkeypatch.setattr(HeatBackend, 'heat', lambda self, who: heat)
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
    """A configuration file in ``path`` of a service that looks often; its path."""
    values = {
        'transport_url': 'fake://',
        'connection': f'sqlite:///{path}/m.sqlite',
        'listen': False,
        'lease_s': 120,  # a step on a busy machine may take more than a minute
        'heat_timeout_s': 20,
        'trouble_s': 300,
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
def driver(request, tmp_path):
    """The driver of the clusters; see ``BOTH``."""
    kind = getattr(request, 'param', 'heat')
    return TinyFiles(tmp_path / 'cloud') if kind == 'files' else Tiny()


@pytest.fixture
def faults(heat, driver):
    """What lets the cloud of the driver fail, as ``RunningHeat``."""
    return heat if isinstance(driver.backend, str) else driver.backend


@pytest.fixture
def worker(conf, database, driver):
    """A running worker."""
    with working(conf, driver) as worker:
        yield worker


@pytest.fixture
def tenant(conf, database, tmp_path, driver):
    """A tenant."""
    return Tenant(conf, database, tmp_path.name, driver)


@pytest.fixture
def comparing(conf, database, driver, monkeypatch):
    """What compares."""
    conf.set_override('compare_s', 600, 'conductor')
    return Comparing(conf, database, driver, monkeypatch)


@pytest.fixture
def finish(conf, database, tenant, driver):
    """Carries an operation out."""
    manager = Manager(conf, database, Registry({'tiny': driver}), owner='me')

    def run(operation, state='DONE'):
        assert manager.claim(operation.uuid)
        tenant.wait_for(operation, lambda now: manager.step(operation.uuid) or now.ended_at, state)

    return run


@pytest.fixture
def looking(conf, database, driver):
    """What looks at the health of clusters."""
    looking = Looking(conf, database, driver)
    yield looking
    looking.loop.stop()
    looking.loop._pool.wait()


@pytest.fixture
def formed(tenant, database, finish):
    """Makes a cluster that is complete, and has an address; its uuid."""

    def make(**values):
        create = tenant.create()
        finish(create)
        database.write(
            store.update, Cluster, {'api_address': ADDRESS, **values}, uuid=create.cluster_id
        )
        return create.cluster_id

    return make


@pytest.fixture
def health_of(tenant):
    """The health of a cluster, as users see it."""

    def read(uuid):
        found = tenant.cluster(uuid)
        return found.health_status, found.health_status_reason

    return read
