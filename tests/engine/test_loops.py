"""A fault that nobody foresaw, put into each loop: the loop goes on, or the process ends."""

import functools
import subprocess
import sys
import threading
import time

import oslo_messaging
import pytest

from magnum_lite import rpc, threads


def wait_for(condition, *, within_s=30):
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
    done = subprocess.run([sys.executable, '-c', STUCK], capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, 'asked\n')
    assert "The loop \"beat\" failed 4 times in a row, so this process ends: SystemExit('gone')" \
        in done.stderr
    assert 'This process did not end in order within 1 s, so it ends now' in done.stderr
