"""An orderly stop: it ends within one call to the cloud, and others go on at once."""

import threading

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import claims
from magnum_lite.db.tables import operations
from magnum_lite.driver_sdk import CloudError, FailedError
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import working
from tests.engine.test_loops import wait_for

LONG_S = 600  # of every timer: who waits for one is seen
OPERATIONS = 30


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


class Held:
    """Calls that last until somebody frees them: the first in a step of two.

    :ivar inside: how many are under way.
    """

    def __init__(self):
        self.inside = 0
        self.free = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, method):
        """One call."""
        if method == 'get':
            with self._lock:
                self.inside += 1
            self.free.wait()
            with self._lock:
                self.inside -= 1


class Offended(Tiny):
    """Takes every refusal for its own failure."""

    def create(self, cloud, spec, /):
        """As ``Tiny``."""
        try:
            return super().create(cloud, spec)
        except CloudError as error:
            raise FailedError('Heat refused', str(error)) from error


def _rows(database):
    c = operations.c
    with database.read() as connection:
        return set(map(tuple, connection.execute(sa.select(c.owner, c.attempts, c.ended_at))))


@pytest.mark.parametrize('kind', [Tiny, Offended])
def test_a_stop_waits_for_the_calls_under_way_and_for_nothing_else(
    kind, conf, database, tenant, heat, monkeypatch, caplog
):
    conf.set_override('heartbeat_s', LONG_S, group='conductor')
    creates = [tenant.create() for _ in range(OPERATIONS)]
    held = heat.fault = Held()
    worker = Worker(conf, registry=Registry({'tiny': kind()}))
    worker.start()
    wait_for(lambda: held.inside == conf.conductor.threads)  # steps of the others are queued
    asleep, wait = threading.Event(), worker._sweep._event.wait

    def sleep(timeout_s):
        if timeout_s == LONG_S:
            asleep.set()
        return wait(timeout_s)

    monkeypatch.setattr(worker._sweep._event, 'wait', sleep)
    conf.set_override('sweep_s', LONG_S, group='conductor')
    assert asleep.wait(30)
    calls = len(heat.calls)
    stop = threading.Thread(target=worker.stop)
    stop.start()
    try:
        wait_for(worker._sweep._stopping.is_set)
        assert stop.is_alive() and held.inside == conf.conductor.threads
    finally:
        held.free.set()
    stop.join(30)
    assert not stop.is_alive()
    assert 'goes on until the process ends' not in caplog.text  # each loop ended by itself
    assert len(heat.calls) == calls  # those under way have ended, and none began
    assert _rows(database) == {(None, 0, None)}
    conf.clear_override('sweep_s', group='conductor')
    conf.clear_override('heartbeat_s', group='conductor')
    with working(conf):
        for create in creates:
            assert tenant.wait(create).attempts == 0
    assert len(heat.made) == len(set(heat.made)) == 2 * OPERATIONS


def test_a_loop_that_hangs_keeps_no_operation(conf, database, tenant, heat, monkeypatch):
    inside, free, let_go = threading.Event(), threading.Event(), threading.Event()

    def hold(method):
        if method == 'create':
            inside.set()
            free.wait(30)

    heat.fault = hold
    monkeypatch.setattr(Compare, 'run', lambda self: let_go.wait(60))
    create = tenant.create()
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    worker.start()
    assert inside.wait(30)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    wait_for(worker._sweep._stopping.is_set)
    free.set()
    wait_for(lambda: tenant.operation(create.uuid).owner is None)
    assert stopping.is_alive()
    let_go.set()
    stopping.join(30)


def test_what_is_in_no_step_goes_on_while_a_call_hangs(conf, database, tenant, heat):
    held, other = tenant.create(), tenant.create()
    inside, free = threading.Event(), threading.Event()
    hanging = Worker(conf, registry=Registry({'tiny': Tiny()}))
    conf.set_override('poll_min_s', 600, group='conductor')  # they wait after their first step
    conf.set_override('poll_max_s', 600, group='conductor')
    hanging.start()
    tenant.wait_for(held, lambda now: now.state == 'WAITING')
    tenant.wait_for(other, lambda now: now.state == 'WAITING')
    heat.fault = lambda method: inside.set() or free.wait(30)
    database.write(claims.hurry, held.cluster_id)
    assert inside.wait(30)
    stop = threading.Thread(target=hanging.stop)
    stop.start()
    try:
        owner = hanging.owner
        tenant.wait_for(other, lambda now: now.owner is None)
        assert tenant.operation(held.uuid).owner == owner, 'given up while a call is under way'
        heat.fault = lambda method: None
        conf.clear_override('poll_min_s', group='conductor')
        conf.clear_override('poll_max_s', group='conductor')
        with working(conf):
            tenant.wait(other)
            assert stop.is_alive() and tenant.operation(held.uuid).owner == owner
            free.set()
            assert tenant.wait(held).attempts == 0
    finally:
        free.set()
        stop.join(30)
    assert len(heat.made) == len(set(heat.made)) == 4
