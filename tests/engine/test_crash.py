"""SIGKILL at points of creations, deletions and upgrades: each ends as it should, nothing twice."""

import subprocess
import sys
import uuid

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import authorities, migrate
from magnum_lite.db.engine import Database, now
from magnum_lite.db.tables import operations
from magnum_lite.exceptions import NotFound
from tests.engine.conftest import write_config
from tests.engine.surge import Surge
from tests.engine.surging import NODES, SurgingTiny, check, upgrade
from tests.engine.tenant import Tenant
from tests.engine.tiny_files import TinyFiles

pytestmark = pytest.mark.mariadb
# Each stands for a line: claim, step, credentials, ledger, list, create of the first stack, its
# record, create of the second, its record, the end; odd points are before, even ones after.
POINTS = (2, 4, 6, 7, 8, 9, 12, 14, 16, 20)
WITHOUT_HEAT = (7, 9, 10, 14, 18)


@pytest.fixture
def database(tmp_path, heat, mariadb_url):
    """A MariaDB database of its own, its configuration loaded; dropped at the end."""
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    server = sa.create_engine(mariadb_url)
    with server.begin() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name} CHARACTER SET utf8mb4')
    file = write_config(tmp_path, heat, connection=f'{mariadb_url}/{name}', late_s=1)
    conf = cfg.CONF
    conf.reset()
    options.register(conf)
    conf([], project='magnum-lite', default_config_files=[str(file)])
    migrate.upgrade(conf)
    database = Database(conf)
    yield database
    database.dispose()
    with server.begin() as connection:
        connection.exec_driver_sql(f'DROP DATABASE {name}')
    server.dispose()
    conf.reset()


def _kill_at(tmp_path, point, tenant, operation, driver):
    """Let a doomed worker have the operation until it is dead; whether it died."""
    kept = driver.backend.home if tenant.backend else getattr(driver, 'log', '')
    process = subprocess.Popen(
        [
            sys.executable,
            '-m',
            'tests.engine.doomed',
            str(tmp_path / 'magnum-lite.conf'),
            str(point),
            type(driver).__name__,
            str(kept),
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    tenant.wait_for(operation, lambda now: process.poll() is not None or now.ended_at)
    _, errors = process.communicate(timeout=30)
    assert process.returncode in (-9, 0), errors.decode()[-2000:]
    tenant.database.write(_end_leases)
    return process.returncode == -9


def _end_leases(connection):
    """Let the time of the dead worker's leases be over: a long one outlasts a busy machine."""
    connection.execute(
        operations.update().where(operations.c.owner.is_not(None)).values(lease_until=now(-1))
    )


@pytest.mark.parametrize(
    ('driver', 'point'),
    [*(('heat', point) for point in POINTS), *(('files', point) for point in WITHOUT_HEAT)],
    indirect=['driver'],
)
def test_a_killed_worker_loses_and_doubles_nothing(driver, point, tmp_path, database):
    conf = cfg.CONF
    tenant = Tenant(conf, database, tmp_path.name, driver)
    create = tenant.create(nodes=2)
    killed = [_kill_at(tmp_path, point, tenant, create, driver)]
    _finish(conf, tenant, create, driver)
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'CREATE_COMPLETE'
    assert sorted(tenant.stacks().values()) == ['CREATE_COMPLETE'] * 2
    assert len(tenant.groups(cluster.uuid)['default-worker'].node_addresses) == 2

    delete = tenant.delete(cluster.uuid)
    killed.append(_kill_at(tmp_path, point, tenant, delete, driver))
    _finish(conf, tenant, delete, driver)
    with pytest.raises(NotFound):
        tenant.cluster(cluster.uuid)
    assert tenant.stacks() == {}
    assert killed[0], 'the creation has fewer points than the test believes'


# Between the phases and in them; all points are tried in ``test_phases.py``, without processes.
@pytest.mark.parametrize('point', [10, 20, 30, 40])
def test_a_killed_worker_does_not_send_an_upgrade_back(point, tmp_path, database):
    tenant, driver = Tenant(cfg.CONF, database, tmp_path.name), Surge(tmp_path / 'log')
    create = tenant.create(nodes=2)
    _finish(cfg.CONF, tenant, create, driver)
    group = tenant.groups(create.cluster_id)['default-worker']
    upgrade = tenant.whole(create.cluster_id, 'upgrade', groups={group.uuid: {'image_id': '2'}})
    assert _kill_at(tmp_path, point, tenant, upgrade, driver)
    _finish(cfg.CONF, tenant, upgrade, driver)
    driver.check(nodes=2)
    assert len(tenant.stacks()) == 2 and any(name.endswith('-2') for name in tenant.stacks())


# In each of its stages; all points are tried in ``test_rotation.py``, without processes.
@pytest.mark.parametrize('driver', ['files'], indirect=True)
@pytest.mark.parametrize('point', [12, 30, 44])
def test_a_killed_worker_leaves_a_rotation_to_be_ended(driver, point, tmp_path, database):
    tenant = Tenant(cfg.CONF, database, tmp_path.name, driver)
    create = tenant.create()
    _finish(cfg.CONF, tenant, create, driver)
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2})
    assert _kill_at(tmp_path, point, tenant, rotate, driver)
    _finish(cfg.CONF, tenant, rotate, driver)
    with database.read() as connection:
        known = authorities.of(connection, tenant.cluster(create.cluster_id))
    assert known['kubernetes'].generations == (2,)
    assert {'trusted.2' in part.text for part in tenant.parts()} == {True}
    assert not any('trusted.2.1' in part.text for part in tenant.parts())


# The new nodes are made, the turn, the old ones go; all points are tried in
# ``test_generations.py``, without processes.
@pytest.mark.parametrize(
    ('driver', 'point'),
    [
        *((SurgingTiny, point) for point in (13, 25, 37)),
        *((TinyFiles, point) for point in (13, 25)),
    ],
)
def test_a_killed_worker_leaves_nodes_of_one_generation(driver, point, tmp_path, database):
    driver = driver(*([tmp_path / 'cloud'] if driver is TinyFiles else []))
    tenant = Tenant(cfg.CONF, database, tmp_path.name, driver)
    create = tenant.create(nodes=NODES)
    _finish(cfg.CONF, tenant, create, driver)
    operation = upgrade(tenant, create.cluster_id)
    assert _kill_at(tmp_path, point, tenant, operation, driver)
    _finish(cfg.CONF, tenant, operation, driver)
    check(tenant, create.cluster_id, 2, 'debian-14')


def _finish(conf, tenant, operation, driver):
    """A healthy worker takes over what the dead one left."""
    worker = Worker(conf, registry=Registry({'tiny': driver}))
    worker.start()
    try:
        tenant.wait(operation)
    finally:
        worker.stop()
