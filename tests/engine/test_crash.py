"""SIGKILL at ten points of a creation and of a deletion: each ends as it should, nothing twice."""

import subprocess
import sys
import uuid

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.service import Worker
from magnum_lite.db import migrate
from magnum_lite.db.engine import Database, now
from magnum_lite.db.tables import operations
from magnum_lite.exceptions import NotFound
from tests.engine.conftest import Tenant, write_config
from tests.engine.tiny import Tiny

pytestmark = pytest.mark.mariadb
# Each stands for a line: claim, step, credentials, ledger, list, create of the first stack, its
# record, create of the second, its record, the end; odd points are before, even ones after.
POINTS = (2, 4, 6, 7, 8, 9, 12, 14, 16, 20)


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


def _kill_at(tmp_path, point, tenant, operation):
    """Let a doomed worker have the operation until it is dead; whether it died."""
    process = subprocess.Popen(
        [
            sys.executable,
            '-m',
            'tests.engine.doomed',
            str(tmp_path / 'magnum-lite.conf'),
            str(point),
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


@pytest.mark.parametrize('point', POINTS)
def test_a_killed_worker_loses_and_doubles_nothing(point, tmp_path, database):
    conf = cfg.CONF
    tenant = Tenant(conf, database, tmp_path.name)
    create = tenant.create(nodes=2)
    killed = [_kill_at(tmp_path, point, tenant, create)]
    _finish(conf, tenant, create)
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'CREATE_COMPLETE'
    assert sorted(tenant.stacks().values()) == ['CREATE_COMPLETE'] * 2
    assert len(tenant.groups(cluster.uuid)['default-worker'].node_addresses) == 2

    delete = tenant.delete(cluster.uuid)
    killed.append(_kill_at(tmp_path, point, tenant, delete))
    _finish(conf, tenant, delete)
    with pytest.raises(NotFound):
        tenant.cluster(cluster.uuid)
    assert tenant.stacks() == {}
    assert killed[0], 'the creation has fewer points than the test believes'


def _finish(conf, tenant, operation):
    """A healthy worker takes over what the dead one left."""
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    worker.start()
    try:
        tenant.wait(operation)
    finally:
        worker.stop()
