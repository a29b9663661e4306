"""Workers that look at the health of clusters at once, hang, stand still or end in it."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from magnum_lite.driver_sdk import Health as Found
from tests.engine.conftest import working
from tests.engine.looked import Looked, Looking
from tests.together import together


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def driver():
    """The driver of the clusters."""
    return Looked()


def test_two_workers_look_once(conf, database, looking, driver, formed):
    formed()
    other = Looking(conf, database, driver)
    looking.loop.give_turns()
    looking.due()
    together(looking.turn, other.turn)
    other.loop.stop()
    assert len(driver.specs) == 1


def test_a_monitor_that_hangs_is_told_of_and_holds_its_own_thread_only(
    conf, database, driver, formed, health_of, caplog
):
    conf.set_override('timeout_s', 0.1, 'health')
    hung, other = formed(), formed()
    going = threading.Event()

    def hang():
        if driver.specs[-1].uuid == hung:
            going.wait(60)
        return Found('HEALTHY', {'api': 'ok'})

    driver.says = hang
    looking = Looking(conf, database, driver)
    looking.loop.give_turns()
    looking.due()
    until = time.monotonic() + 30
    while health_of(hung)[0] is None or health_of(other)[0] is None:
        assert time.monotonic() < until
        looking.loop.turn()
        time.sleep(0.05)
    looking.loop.stop()
    going.set()
    looking.loop._pool.wait()
    assert health_of(hung) == ('UNKNOWN', {'monitor': 'the look takes more than 0.2 s'})
    assert health_of(other) == ('HEALTHY', {'api': 'ok'})
    assert f'The job "{hung}" runs for more than' in caplog.text


def test_a_worker_frozen_in_a_look_writes_nothing_over_what_the_next_one_found(
    conf, database, looking, driver, formed, health_of
):
    uuid = formed()
    other = Looking(conf, database, Looked())

    def freeze():
        other.due()
        other.turn()
        return Found('UNHEALTHY', {'api': 'was long ago'})

    driver.says = freeze
    looking.now()
    other.loop.stop()
    assert health_of(uuid) == ('HEALTHY', {'api': 'ok'})


def test_a_worker_that_stops_writes_nothing_any_more(looking, driver, formed, health_of):
    uuid = formed()
    driver.says = lambda: looking.loop.stop() or Found('HEALTHY', {'api': 'ok'})
    looking.now()
    assert health_of(uuid) == (None, {})


@pytest.fixture
def watcher(tmp_path):
    """A worker in a process of its own that is inside a look."""
    config = tmp_path / 'watcher.conf'
    config.write_text((tmp_path / 'magnum-lite.conf').read_text() + '[health]\ntimeout_s = 60\n')
    with subprocess.Popen(
        [sys.executable, '-m', 'tests.engine.watcher', config, tmp_path], stdin=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def _wait_for(path):
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, f'{path.name} never came'
        time.sleep(0.05)


def _strike(process, how, folder):
    """Send a signal, at a moment in which the process holds no lock: SQLite's outlive a freeze."""
    while True:
        process.send_signal(how)
        try:
            with contextlib.closing(sqlite3.connect(folder / 'm.sqlite', 0.2)) as database:
                database.execute('BEGIN IMMEDIATE')
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize('how', [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_ends_or_stands_still_in_a_look_costs_one_turn(
    how, tmp_path, formed, request, looking, health_of
):
    uuid = formed()
    process = request.getfixturevalue('watcher')
    _wait_for(tmp_path / 'looking')
    _strike(process, how, tmp_path)
    looking.turn()
    assert health_of(uuid)[0] is None  # it is the other's turn
    looking.now()
    assert health_of(uuid) == ('HEALTHY', {'api': 'ok'})
    if how == signal.SIGSTOP:
        (tmp_path / 'go').touch()
        process.send_signal(signal.SIGCONT)
        _wait_for(tmp_path / 'False')
        assert health_of(uuid) == ('HEALTHY', {'api': 'ok'})


def test_a_worker_looks_by_itself_while_others_step(conf, database, tenant, driver, health_of):
    """The looks of a worker that has no thread left hold no operation."""
    conf.set_override('interval_s', 0.5, 'health')
    conf.set_override('timeout_s', 0.1, 'health')
    conf.set_override('threads', 1, 'health')
    conf.set_override('denied_networks', [], 'health')
    going = threading.Event()
    driver.says = lambda: going.wait(60) and Found('HEALTHY', {'api': 'ok'})
    with working(conf, driver):
        first = tenant.create()
        tenant.wait(first)
        until = time.monotonic() + 30
        while not driver.specs:
            assert time.monotonic() < until
            time.sleep(0.01)
        tenant.wait(tenant.resize(first.cluster_id, 2))
        going.set()
        while health_of(first.cluster_id)[0] != 'HEALTHY':
            assert time.monotonic() < until
            time.sleep(0.05)
