"""A call that Heat serves after its caller gave up."""

import contextlib

import pytest
from oslo_db import exception as db_exc

from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.heat import access
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, store
from magnum_lite.db import ledger as noting
from magnum_lite.db.engine import now
from magnum_lite.db.tables import ledger, usages
from magnum_lite.driver_sdk.errors import Unanswered
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Tiny


def _age(connection):
    connection.execute(ledger.update().values(created_at=now(-3600)))


@contextlib.contextmanager
def _no_answers(monkeypatch, lost=lambda: None):
    """Lets calls that make something end without an answer; their arguments, as Heat takes them.

    :param lost: called before each of them ends.
    """
    calls, make = [], access.LeasedHeat._make

    def unanswered(*args):
        calls.append(args)
        lost()
        raise Unanswered('Heat does not answer: timeout')

    with monkeypatch.context() as patch:
        patch.setattr(
            access.LeasedHeat, '_make', lambda self, method, *args: make(self, unanswered, *args)
        )
        yield calls


def test_a_deletion_looks_again_for_what_an_unanswered_call_makes_late(
    conf, database, tenant, monkeypatch
):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()
    with _no_answers(monkeypatch) as calls:
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


def test_a_database_that_is_away_when_a_call_is_lost_fails_no_driver(
    conf, database, tenant, monkeypatch
):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()

    late = noting.late

    def away(*args):
        monkeypatch.setattr(noting, 'late', late)  # it is back at the next step
        raise db_exc.DBConnectionError

    with _no_answers(monkeypatch, lambda: monkeypatch.setattr(noting, 'late', away)):
        assert manager.claim(create.uuid)
        manager.step(create.uuid)
    assert tenant.operation(create.uuid).ended_at is None
    delete = tenant.delete(create.cluster_id)
    assert manager.claim(delete.uuid)
    manager.step(delete.uuid)
    assert 'may still take effect' in tenant.operation(delete.uuid).progress


@pytest.mark.parametrize('is_taken_over', [True, False])
def test_a_deletion_looks_again_for_what_a_worker_asked_for_that_was_lost(
    is_taken_over, conf, database, tenant
):
    """Lost in the middle of a step: nobody knows whether inside a call."""
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()
    assert database.write(claims.claim, create.uuid, owner='lost', lease_s=30)
    database.write(claims.step, create.uuid, owner='lost', lease_s=-1)
    if is_taken_over:
        assert manager.claim(create.uuid)
        tenant.wait_for(create, lambda now: manager.step(create.uuid) or now.ended_at, 'DONE')
    delete = tenant.delete(create.cluster_id)
    assert manager.claim(delete.uuid)
    tenant.wait_for(
        delete,
        lambda now: manager.step(delete.uuid) or 'may still take effect' in (now.progress or ''),
    )
    assert tenant.operation(delete.uuid).ended_at is None
    database.write(_age)
    conf.set_override('late_s', 1, 'cloud')
    tenant.wait_for(delete, lambda now: manager.step(delete.uuid) or now.ended_at, 'DONE')
    assert tenant.stacks() == {}


def test_a_deletion_that_was_itself_taken_over_does_not_wait(conf, database, tenant):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()
    assert manager.claim(create.uuid)
    tenant.wait_for(create, lambda now: manager.step(create.uuid) or now.ended_at, 'DONE')
    delete = tenant.delete(create.cluster_id)
    assert database.write(claims.claim, delete.uuid, owner='lost', lease_s=30)
    database.write(claims.step, delete.uuid, owner='lost', lease_s=-1)
    assert manager.claim(delete.uuid)
    tenant.wait_for(delete, lambda now: manager.step(delete.uuid) or now.ended_at, 'DONE')


def test_a_deletion_after_answered_calls_does_not_wait(conf, database, tenant):
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create(nodes=0)
    for operation in (create, None):
        operation = operation or tenant.delete(create.cluster_id)
        assert manager.claim(operation.uuid)
        tenant.wait_for(
            operation,
            lambda now, uuid=operation.uuid: (
                manager.step(uuid) or 'may still' in (now.progress or '') or now.ended_at
            ),
            'DONE',
        )


@pytest.fixture
def resized(conf, database, tenant, monkeypatch):
    """A cluster of 3 nodes, and the call for 2 of a change before, which Heat has yet to serve."""
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='me')
    create = tenant.create()
    assert manager.claim(create.uuid)
    tenant.wait_for(create, lambda now: manager.step(create.uuid) or now.ended_at, 'DONE')
    resize = tenant.resize(create.cluster_id, 2)
    with _no_answers(monkeypatch) as calls:
        assert manager.claim(resize.uuid)
        manager.step(resize.uuid)
    database.write(store.update, Operation, {'deadline_at': now(-1)}, uuid=resize.uuid)
    manager.step(resize.uuid)
    failed = tenant.operation(resize.uuid)
    assert failed.state == 'FAILED'
    for shown in (
        tenant.cluster(create.cluster_id),
        tenant.groups(create.cluster_id)['default-worker'],
    ):
        assert (shown.status, shown.status_reason) == ('UPDATE_FAILED', failed.error_text)
    resize = tenant.resize(create.cluster_id, 3)
    assert manager.claim(resize.uuid)
    return manager, resize, calls[0]


def _serve(tenant, call):
    tenant.heat.update(*call)
    while tenant.heat.get(call[0]).in_progress:
        pass


def _nodes(tenant, call):
    return len(tenant.heat.get(call[0]).outputs['node_addresses'])


def test_a_change_that_heat_serves_late_is_seen_at_rest_and_mended(conf, database, tenant, resized):
    manager, resize, call = resized
    tenant.wait_for(resize, lambda now: manager.step(resize.uuid) or now.ended_at, 'DONE')
    _serve(tenant, call)
    assert _nodes(tenant, call) == 2
    database.write(
        lambda connection: connection.execute(usages.update().values(compare_at=now(-1)))
    )
    conf.set_override('compare_s', 600, 'conductor')
    loop = Compare(conf, database, Registry({'tiny': Tiny()}), manager.backends)
    while loop.one():
        pass
    cluster = tenant.cluster(resize.cluster_id)
    assert (cluster.status, cluster.health_status) == ('UPDATE_COMPLETE', 'UNHEALTHY')
    assert list(cluster.health_status_reason.values()) == [
        'was changed behind the last operation: it has 2 nodes'
    ]
    again = tenant.resize(resize.cluster_id, 3)
    assert manager.claim(again.uuid)
    tenant.wait_for(again, lambda now: manager.step(again.uuid) or now.ended_at, 'DONE')
    assert _nodes(tenant, call) == 3


def test_what_heat_serves_late_just_before_the_end_does_not_end_in_done(
    tenant, resized, monkeypatch
):
    manager, resize, call = resized
    look = Tiny.get_status
    late = [call]

    def serve_first(*args):
        if late:
            _serve(tenant, late.pop())
        return look(*args)

    monkeypatch.setattr(Tiny, 'get_status', serve_first)
    tenant.wait_for(resize, lambda now: manager.step(resize.uuid) or now.ended_at, 'DONE')
    assert (late, _nodes(tenant, call)) == ([], 3)
