"""A rotation of authorities at which workers of release 1.0 and of this one have been."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import authorities, store
from magnum_lite.db.engine import now
from magnum_lite.db.tables import operations, secrets
from magnum_lite.objects import Operation
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import write_config
from tests.service import previous

ALL = 300  # steps, of which some only wait
WITHIN_S = PATIENCE_S


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """The sources of release 1.0."""
    return previous.sources(
        tmp_path_factory.mktemp('previous'), 'magnum_lite', 'magnum_lite_dev', 'tests/engine'
    )


@pytest.fixture
def conf(tmp_path, heat, connection, conf):
    """Of a service that keeps its secrets so that release 1.0 can read them."""
    conf.set_override('readable_by', '1.0', 'secrets')
    return conf


@pytest.fixture
def theirs(tmp_path, heat, connection, tree):
    """``theirs(operation, steps)``: let a worker of release 1.0 take steps."""
    config = write_config(tmp_path, heat, connection=connection)

    def run(operation, steps=ALL):
        subprocess.run(
            [
                sys.executable,
                Path(__file__).with_name('previous_worker.py'),
                config,
                operation.uuid,
                str(steps),
            ],
            check=True,
            timeout=WITHIN_S,
            cwd=tree,
            env={**os.environ, 'PYTHONPATH': str(tree)},
        )

    return run


@pytest.fixture
def ours(conf, database, tenant):
    """``ours(operation, until)``: let a worker of this release take steps."""
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='ours')

    def run(operation, until=lambda now: False):
        assert manager.claim(operation.uuid)
        found = tenant.wait_for(
            operation, lambda now: now.ended_at or until(now) or manager.step(operation.uuid)
        )
        database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=operation.uuid)
        return found

    return run


def check(tenant, operation, ours):
    """Fails unless the new authority is the only one, everywhere."""
    assert tenant.operation(operation.uuid).state == 'DONE'
    cluster = tenant.cluster(operation.cluster_id)
    assert (cluster.status, cluster.ca_generation) == ('UPDATE_COMPLETE', 2)
    with tenant.database.read() as connection:
        assert authorities.of(connection, cluster)['kubernetes'].generations == (2,)
        names = connection.execute(sa.select(secrets.c.name)).scalars().all()
    assert sorted(names) == ['ca.kubernetes.key.2', 'join']
    assert (
        ours(tenant.whole(cluster.uuid, 'rotate_ca', cluster={'ca_generation': 3})).state == 'DONE'
    )


@pytest.mark.parametrize('stage', ['trust', 'sign', 'forget'])
def test_release_1_0_ends_what_this_one_began(tenant, ours, theirs, stage):
    create = tenant.create()
    ours(create)
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2})
    ours(rotate, lambda now: (now.progress or '').startswith(f'stage {stage}'))
    theirs(rotate)
    check(tenant, rotate, ours)


@pytest.mark.parametrize('steps', [1, 3])
def test_this_release_ends_what_1_0_accepted_and_began(database, tenant, ours, theirs, steps):
    create = tenant.create()
    ours(create)
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2})
    database.write(
        lambda connection: connection.execute(
            operations.update().where(operations.c.uuid == rotate.uuid).values(change=None)
        )
    )
    theirs(rotate, steps)
    database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=rotate.uuid)
    if not tenant.operation(rotate.uuid).ended_at:
        ours(rotate)
    check(tenant, rotate, ours)
