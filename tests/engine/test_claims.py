"""Two workers, lost claims, deadlocks: whatever happens, one run at a time and none forgotten."""

import datetime
import threading
import time

import pytest
from oslo_db import exception as db_exc

from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import claims, overtaking, store
from magnum_lite.exceptions import LostClaim
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Tiny


class Counting(Tiny):
    """Notes each call of ``create``, and how many ran at the same time."""

    def __init__(self):
        self.calls = 0
        self.at_once = 0
        self.most = 0

    def create(self, cloud, spec, /):
        """As Tiny, slowly."""
        self.calls += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        try:
            return super().create(cloud, spec)
        finally:
            self.at_once -= 1


def _claim(database, uuid, owner, lease_s=30):
    return database.write(claims.claim, uuid, owner=owner, lease_s=lease_s)


def test_two_workers_run_one_operation_once(conf, database, tenant):
    driver = Counting()
    workers = [Worker(conf, registry=Registry({'tiny': driver})) for _ in range(2)]
    create = tenant.create()
    for worker in workers:
        worker.start()
    try:
        done = tenant.wait(create)
    finally:
        for worker in workers:
            worker.stop()
    assert driver.most == 1 and done.fence == 1
    assert len(tenant.stacks()) == 2


def test_of_racing_claims_one_wins(database, tenant):
    create = tenant.create()
    won = []
    threads = [
        threading.Thread(
            target=lambda owner=str(n): won.append(_claim(database, create.uuid, owner))
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_the_first_claim_sets_the_deadline_and_the_next_leaves_it(database, tenant):
    create = tenant.create(timeout_min=15)
    assert _claim(database, create.uuid, 'first', lease_s=0.2)
    first = tenant.operation(create.uuid)
    assert (first.deadline_at - first.started_at).total_seconds() == pytest.approx(900, abs=1)
    time.sleep(0.3)
    assert _claim(database, create.uuid, 'next')
    assert tenant.operation(create.uuid).deadline_at == first.deadline_at


def test_a_lease_that_ran_out_is_taken_over_and_the_late_owner_stops(database, tenant):
    create = tenant.create()
    assert _claim(database, create.uuid, 'slow', lease_s=0.2)
    slow = database.write(claims.step, create.uuid, owner='slow', lease_s=0.2)
    assert not _claim(database, create.uuid, 'next')
    time.sleep(0.3)
    assert _claim(database, create.uuid, 'next')
    with pytest.raises(LostClaim):
        database.write(claims.wait, slow, progress='late', check_in_s=1)
    with pytest.raises(LostClaim):
        database.write(claims.end, slow, state='DONE')
    assert tenant.operation(create.uuid).owner == 'next'


def test_a_heartbeat_keeps_the_lease(database, tenant):
    create = tenant.create()
    assert _claim(database, create.uuid, 'alive', lease_s=0.2)
    database.write(claims.heartbeat, owner='alive', lease_s=30)
    time.sleep(0.3)
    assert not _claim(database, create.uuid, 'next')


def test_a_deletion_waits_for_a_call_under_way(conf, database, tenant):
    """A stack that the superseded run still makes must not outlive the cluster."""
    create = tenant.create()
    assert _claim(database, create.uuid, 'busy')
    database.write(claims.step, create.uuid, owner='busy', lease_s=30)
    delete = tenant.delete(create.cluster_id)
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    worker.start()
    try:
        tenant.wait_for(delete, lambda now: 'another worker' in (now.progress or ''))
        # The call that was under way when the deletion came takes effect only now.
        tenant.heat.create(
            f'tiny-{create.cluster_id}',
            {
                'template': '{"heat_template_version": "2021-04-16"}',
                'files': {},
                'environment': {},
                'parameters': {},
                'timeout_min': 5,
            },
            ['magnum_lite', f'cluster:{create.cluster_id}'],
        )
        database.write(overtaking.release_superseded, create.uuid, owner='busy')
        tenant.wait(delete)
    finally:
        worker.stop()
    assert tenant.stacks() == {}


def test_a_stopped_worker_gives_its_operations_up(conf, database, tenant):
    create = tenant.create(nodes=3)
    first = Worker(conf, registry=Registry({'tiny': Tiny()}))
    first.start()
    tenant.wait_for(create, lambda now: now.owner)
    first.stop()
    assert tenant.operation(create.uuid).owner is None
    second = Worker(conf, registry=Registry({'tiny': Tiny()}))
    second.start()
    try:
        tenant.wait(create)
    finally:
        second.stop()


def test_a_deadlock_runs_the_whole_transaction_again(database, tenant):
    create = tenant.create()
    attempts = []

    def claim_with_deadlocks(connection):
        won = claims.claim(connection, create.uuid, owner='me', lease_s=30)
        attempts.append(won)
        if len(attempts) < 3:
            raise db_exc.DBDeadlock
        return won

    assert database.write(claim_with_deadlocks)
    assert attempts == [True, True, True]  # each found the row as before: rolled back
    assert tenant.operation(create.uuid).fence == 1


def test_a_step_that_broke_off_is_taken_again(conf, database, tenant, monkeypatch):
    """As when the database is away at the wrong moment: nothing recorded, nothing lost."""
    original, broken = claims.wait, []

    def wait(connection, operation, **kwargs):
        if not broken:
            broken.append(operation.uuid)
            raise db_exc.DBConnectionError
        return original(connection, operation, **kwargs)

    monkeypatch.setattr(claims, 'wait', wait)
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    create = tenant.create()
    worker.start()
    try:
        tenant.wait(create)
    finally:
        worker.stop()
    assert broken == [create.uuid]
    assert len(tenant.stacks()) == 2


def _lose(database, operation, state='RUNNING'):
    """Let a worker claim it and be lost."""
    assert _claim(database, operation.uuid, 'lost')
    database.write(
        store.update,
        Operation,
        {'state': state, 'lease_until': store.utcnow() - datetime.timedelta(hours=1)},
        uuid=operation.uuid,
    )


def test_an_operation_that_takes_its_workers_down_ends(conf, database, tenant):
    driver = Counting()
    create = tenant.create()
    for _ in range(5):
        _lose(database, create)
    worker = Worker(conf, registry=Registry({'tiny': driver}))
    worker.start()
    try:
        failed = tenant.wait(create, 'FAILED')
    finally:
        worker.stop()
    assert failed.error_code == 'worker-lost' and '5 workers in a row' in failed.error_text
    assert tenant.cluster(create.cluster_id).status == 'CREATE_FAILED'
    assert driver.calls == 0


def test_restarts_and_steps_that_are_complete_do_not_count(database, tenant):
    create = tenant.create()
    for _ in range(3):
        _lose(database, create)
    assert _claim(database, create.uuid, 'well')
    assert tenant.operation(create.uuid).attempts == 3
    database.write(claims.release_all, owner='well')
    assert _claim(database, create.uuid, 'next')
    assert tenant.operation(create.uuid).attempts == 3
    running = database.write(claims.step, create.uuid, owner='next', lease_s=30)
    database.write(claims.wait, running, progress='on', check_in_s=1)
    assert tenant.operation(create.uuid).attempts == 0
    database.write(claims.release_all, owner='next')
    for _ in range(3):  # lost while Heat was at work, with many others
        _lose(database, create, state='WAITING')
    assert tenant.operation(create.uuid).attempts == 0
