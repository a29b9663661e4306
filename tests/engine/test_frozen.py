"""A worker frozen in the middle of a step, whose cluster another worker deletes meanwhile."""

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, store
from magnum_lite.db.engine import Database, now
from magnum_lite.db.tables import certificates, clusters, ledger, secrets
from magnum_lite.objects import Operation
from tests.engine.conftest import BOTH


class Freezing(Database):
    """Lets other things happen before one of the transactions of a step."""

    def __init__(self, conf, at, meanwhile):
        super().__init__(conf)
        self.left = at
        self.meanwhile = meanwhile

    def write(self, work, *args, **kwargs):
        """As ``Database``, later."""
        if work not in (claims.claim, claims.step):
            self.left -= 1
            if self.left == 0:
                self.meanwhile()
        return super().write(work, *args, **kwargs)


def _rows(database):
    with database.read() as connection:
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in (certificates, secrets, ledger, clusters)
        }


def _end(manager, operation, tenant):
    assert manager.claim(operation.uuid)
    tenant.wait_for(operation, lambda now: manager.step(operation.uuid) or now.ended_at)


# The image's facts, the keys, the ledger, the record of the step.
@BOTH
@pytest.mark.parametrize('at', [1, 2, 3, 4])
def test_a_frozen_worker_that_wakes_writes_nothing_of_a_deleted_cluster(
    at, conf, database, tenant, driver
):
    conf.set_override('late_s', 1, 'cloud')
    registry = Registry({'tiny': driver})
    create = tenant.create(facts={})
    left = []

    def meanwhile():
        delete = tenant.delete(create.cluster_id)
        database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=create.uuid)
        _end(Manager(conf, database, registry, owner='healthy'), delete, tenant)
        left.append(_rows(database))

    frozen = Freezing(conf, at, meanwhile)
    manager = Manager(conf, frozen, registry, owner='frozen')
    assert manager.claim(create.uuid)
    manager.step(create.uuid)
    frozen.dispose()
    assert left == [_rows(database)]
    assert not any(left[0][table] for table in ('certificates', 'secrets', 'clusters'))
    assert tenant.stacks() == {}
