"""A call that Heat serves after its caller gave up."""

from magnum_lite.conductor import cloud
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db.engine import now
from magnum_lite.db.tables import ledger
from magnum_lite.driver_sdk.errors import Unanswered
from tests.engine.tiny import Tiny


def _age(connection):
    connection.execute(ledger.update().values(created_at=now(-3600)))


def test_a_deletion_looks_again_for_what_an_unanswered_call_makes_late(
        conf, database, tenant, monkeypatch):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()
    calls = []

    def unanswered(self, method, *args):
        calls.append(args)
        return original(self, _no_answer, *args)

    def _no_answer(*args):
        raise Unanswered('Heat does not answer: timeout')

    original = cloud.LeasedHeat._make
    with monkeypatch.context() as patch:
        patch.setattr(cloud.LeasedHeat, '_make', unanswered)
        assert manager.claim(create.uuid)
        manager.step(create.uuid)
    delete = tenant.delete(create.cluster_id)
    assert manager.claim(delete.uuid)
    manager.step(delete.uuid)
    waiting = tenant.operation(delete.uuid)
    assert waiting.ended_at is None and 'may still take effect' in waiting.progress
    tenant.heat.create(*calls[0])
    database.write(_age)
    tenant.wait_for(delete, lambda now: manager.step(delete.uuid) or now.ended_at, 'DONE')
    assert tenant.stacks() == {}


def test_a_deletion_after_answered_calls_does_not_wait(conf, database, tenant):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create(nodes=0)
    for operation in (create, None):
        operation = operation or tenant.delete(create.cluster_id)
        assert manager.claim(operation.uuid)
        tenant.wait_for(operation, lambda now, uuid=operation.uuid: manager.step(uuid)
                        or 'may still' in (now.progress or '') or now.ended_at, 'DONE')
