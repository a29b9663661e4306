"""A fault that nobody foresaw, put into each loop: the loop goes on, or the process ends."""

import functools
import subprocess
import sys
import threading
import time

import oslo_messaging
import pytest
from oslo_messaging import server

from magnum_lite import rpc, threads
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.sender import Sender
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import agenda, services
from magnum_lite.delegation.development import Development
from magnum_lite.driver_sdk.backend import Backend
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import write_config


def wait_for(condition, *, within_s=PATIENCE_S):
    """Wait until something is the case."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, 'it never came'
        time.sleep(0.05)


@pytest.fixture
def fault(monkeypatch):
    """Lets a function raise twice; the list of its calls afterwards."""

    def put(where, name):
        healthy, calls, left = getattr(where, name), [], [1, 2]

        @functools.wraps(healthy)
        def broken(*args, **kwargs):
            if left:
                raise ZeroDivisionError(f'fault {left.pop()}')
            calls.append(name)
            return healthy(*args, **kwargs)

        monkeypatch.setattr(where, name, broken)
        return calls

    return put


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No tests wait for seconds."""
    monkeypatch.setattr(threads, 'FIRST_PAUSE_S', 0.1)


def test_the_sweep_goes_on(tenant, worker, fault, caplog):
    fault(agenda, 'due')
    tenant.wait(tenant.create())
    assert 'The loop "sweep" failed, 2 in a row, 2 in all' in caplog.text
    assert 'ZeroDivisionError: fault 1' in caplog.text  # the traceback


@pytest.mark.parametrize(
    ('name', 'where', 'what'),
    [
        ('beat', services, 'report'),
        ('strays', Development, 'revoke_strays'),
        ('sender', Sender, 'run'),
    ],
)
def test_what_works_by_the_clock_goes_on(name, where, what, conf, database, fault, caplog):
    conf.set_override('stray_s', 1, group='conductor')
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    if what == 'run':
        calls = fault(where, what)
        worker.start()
    else:
        worker.start()
        calls = fault(where, what)
    try:
        wait_for(lambda: calls)
    finally:
        worker.stop()
    assert f'The loop "{name}" failed, 2 in a row, 2 in all' in caplog.text


def test_the_listeners_go_on(conf, database, tenant, fault, caplog):
    conf.set_override('sweep_s', 60, group='conductor')  # the wake alone finds the operation
    conf.set_override('listen', True, group='conductor')
    fault(server.MessageHandlingServer, 'start')
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    waker = rpc.Waker(conf)
    worker.start()
    try:
        wait_for(lambda: 'fault 1' in caplog.text)  # each of the two had one
        create = tenant.create()
        waker.wake(create.uuid)
        tenant.wait_for(create, lambda now: now.started_at)
    finally:
        waker.stop()
        worker.stop()


class Deaf(Backend):
    """Its listeners cannot start."""

    title = 'the moon'

    def listeners(self, hurry):
        """As said."""
        raise ZeroDivisionError('no atmosphere')


def test_a_backend_that_cannot_listen_leaves_the_api_its_worker(conf, database, tenant, caplog):
    class Moon(Tiny):
        """A driver of it."""

        name = 'moon'
        backend = Deaf()

    conf.set_override('sweep_s', 60, group='conductor')  # the wake alone finds the operation
    worker = Worker(conf, registry=Registry({'tiny': Tiny(), 'moon': Moon()}))
    waker = rpc.Waker(conf)
    worker.start()
    try:
        wait_for(lambda: 'of the moon" failed, 2 in a row' in caplog.text)
        create = tenant.create()
        waker.wake(create.uuid)
        tenant.wait_for(create, lambda now: now.started_at)
    finally:
        waker.stop()
        worker.stop()
    assert 'The loop "listeners" failed' not in caplog.text


def test_the_waker_of_the_api_goes_on(conf, fault, caplog):
    sent = fault(oslo_messaging.RPCClient, 'cast')
    waker = rpc.Waker(conf)
    for uuid in 'abc':
        waker.wake(uuid)
    wait_for(lambda: sent)
    waker.stop()
    assert 'The loop "waker" failed, 2 in a row, 2 in all' in caplog.text


def test_a_wake_without_a_thread_breaks_no_request(conf, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    waker = rpc.Waker(conf)
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, 'start', start)
        waker.wake('a')
    sent = []
    monkeypatch.setattr(oslo_messaging.RPCClient, 'cast', lambda *_, uuid: sent.append(uuid))
    waker.wake('b')
    wait_for(lambda: sent == ['a', 'b'])
    waker.stop()


@pytest.fixture
def conductor(tmp_path, heat, connection, database):
    """Starts ``faulty`` with two processes; the file of its fault, and its log."""
    write_config(tmp_path, heat, connection=connection, heat_timeout_s=2, lease_s=6)
    file, log, started = tmp_path / 'fault', tmp_path / 'conductor.log', []

    def start(name):
        with log.open('w') as output:
            started.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        '-m',
                        'tests.engine.faulty',
                        str(file),
                        name,
                        '--config-file',
                        str(tmp_path / 'magnum-lite.conf'),
                    ],
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            )
        wait_for(lambda: log.read_text().count('has drivers tiny') == 2)
        return file, log

    yield start
    for process in started:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize('name', ['sweep', 'beat'])
def test_a_process_ends_whose_vital_loop_goes_on_failing(name, conductor, tenant):
    """And another one begins anew."""
    file, log = conductor(name)
    file.touch()
    wait_for(lambda: 'exited with status 0' in log.read_text())
    assert (
        f'CRITICAL magnum_lite.threads [-] The loop "{name}" failed 4 times in a row, so '
        "this process ends: ZeroDivisionError('a fault" in log.read_text()
    )
    file.unlink()
    tenant.wait(tenant.create())


def test_a_process_ends_in_which_a_step_hangs(conductor, tenant):
    """Its heartbeats would keep the operation for ever."""
    file, log = conductor('step')
    file.touch()
    create = tenant.create()
    wait_for(lambda: 'A step runs for more than 3 s, so this process ends' in log.read_text())
    wait_for(lambda: 'exited with status 1' in log.read_text())
    file.unlink()
    tenant.wait(create)


STUCK = """
import logging, signal, sys, time
from magnum_lite import threads
logging.basicConfig()
threads.FIRST_PAUSE_S = 0.01
signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))
threads.Loop('beat', lambda: sys.exit('gone'), vital_s=1).start()
while True:
    time.sleep(60)
"""


def test_a_process_ends_though_it_cannot_end_in_order():
    done = subprocess.run(
        [sys.executable, '-c', STUCK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, 'asked\n')
    assert (
        'The loop "beat" failed 4 times in a row, so this process ends: SystemExit(\'gone\')'
        in done.stderr
    )
    assert 'This process did not end in order within 1 s, so it ends now' in done.stderr
