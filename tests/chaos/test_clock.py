"""A process with another clock reads it everywhere, and waits as long as it should."""

import subprocess
import sys
import time

import pytest

from tools.chaos.clock import Clock
from tools.chaos.victim import JUMP_S, OFF_S, HostClock

pytestmark = pytest.mark.needs('cc')
# What a conductor waits with, while the clock jumps: (seconds that it took, in all).
WAITS = """
import datetime, queue, select, socket, threading, time
from concurrent.futures import Future, wait

condition, (here, _there) = threading.Condition(), socket.socketpair()
here.settimeout(0.2)
def receive():
    try:
        here.recv(1)
    except TimeoutError:
        pass
def get():
    try:
        queue.Queue().get(timeout=0.2)
    except queue.Empty:
        pass
def locked():
    with condition:
        condition.wait(0.2)
taken = []
for one in (lambda: time.sleep(0.2), lambda: threading.Event().wait(0.2), get, locked, receive,
            lambda: select.select([here], [], [], 0.2), lambda: wait([Future()], 0.2)):
    begun = time.monotonic()
    one()
    taken.append(time.monotonic() - begun)
print(min(taken), max(taken), flush=True)
"""
READS = """
import datetime, time
print(time.time(), time.time_ns() / 1e9, datetime.datetime.now(datetime.UTC).timestamp(),
      time.clock_gettime(time.CLOCK_REALTIME), time.mktime(time.localtime()), flush=True)
input()
print(time.time(), flush=True)
"""


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def start(clock, code):
    return subprocess.Popen(
        [sys.executable, '-c', code],
        env=clock.environ,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@pytest.mark.parametrize('ahead_s', [3600, -3600])
def test_every_reading_of_the_time_of_day_is_shifted_and_follows_a_jump(clock, ahead_s):
    clock.set(ahead_s)
    with start(clock, READS) as process:
        moments = [float(text) for text in process.stdout.readline().split()]
        assert all(abs(moment - ahead_s - time.time()) < 30 for moment in moments), moments
        clock.set(7 * ahead_s)
        print(file=process.stdin, flush=True)
        assert abs(float(process.stdout.readline()) - 7 * ahead_s - time.time()) < 30


def test_a_host_is_minutes_off_and_jumps(clock):
    victim = HostClock(clock)
    for change, ahead_s in (
        (lambda: victim.hurt('ahead'), JUMP_S),
        (lambda: victim.hurt('behind'), -JUMP_S),
        (victim.heal, OFF_S),
    ):
        change()
        with start(clock, READS) as process:
            moment = float(process.communicate('\n', timeout=60)[0].split()[0])
        assert abs(moment - ahead_s - time.time()) < 30


@pytest.mark.parametrize('ahead_s', [3600, -3600])
def test_waits_last_as_long_as_they_should(clock, ahead_s):
    clock.set(ahead_s)
    with start(clock, WAITS) as process:
        least, most = map(float, process.communicate(timeout=60)[0].split())
    assert least > 0.15 and most < 20
