"""The pool of jobs; its loops are tried in tests/engine/test_loops.py."""

import sys
import threading

import pytest

from magnum_lite.threads import Crew, Pool


def test_a_shut_pool_ends_what_runs_and_forgets_what_waits():
    pool, begun, free, done = Pool('test', 1), threading.Event(), threading.Event(), []

    def job(name):
        begun.set()
        free.wait(10)
        done.append(name)

    for name in 'aab':
        pool.submit(name, job, name)
    assert begun.wait(10) and 'a' in pool and pool.room == -1
    pool.shut()
    pool.submit('c', job, 'c')
    free.set()
    pool.wait()
    assert done == ['a']


def test_no_error_of_a_job_keeps_its_key_or_its_thread(caplog):
    pool, told, ended = Pool('test', 1), [], threading.Event()

    def failed(error):
        told.append(repr(error))
        raise ZeroDivisionError

    pool.submit('a', sys.exit, 'of a driver', failed=failed)
    pool.submit('b', sys.exit)
    pool.submit('c', ended.set)
    assert ended.wait(10)
    pool.shut()
    pool.wait()
    assert told == ["SystemExit('of a driver')"] and pool.room == 1
    assert 'The job "a" failed: ZeroDivisionError()' in caplog.text
    assert 'The job "b" failed: SystemExit()' in caplog.text


def test_a_job_that_hangs_is_told_of_once_with_the_line_where_it_hangs(caplog):
    pool, begun, free = Pool('test', 2), threading.Event(), threading.Event()

    def driver_that_hangs():
        begun.set()
        free.wait(10)

    pool.submit('uuid', driver_that_hangs)
    pool.submit('quick', begun.wait)
    assert begun.wait(10)
    assert pool.tell_overdue(3600) == []
    assert not caplog.records
    assert [key for _ in range(2) for key in pool.tell_overdue(0) if key == 'uuid'] == ['uuid']
    free.set()
    pool.shut()
    pool.wait()
    hung = [record for record in caplog.records if '"uuid"' in record.getMessage()]
    assert [record.levelname for record in hung] == ['CRITICAL']
    assert 'driver_that_hangs\n    free.wait(10)' in hung[0].getMessage()


def test_one_owner_has_half_of_a_crew_and_a_job_that_hangs_keeps_its_place():
    crew, free = Crew('test', 4), threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            crew.ask('red', 0.01, free.wait, 60)
    with pytest.raises(TimeoutError, match='no place'):
        crew.ask('red', 0.01, int)
    assert crew.ask('blue', 60, int, '7') == 7
    free.set()
    assert crew.ask('red', 60, int, '7') == 7  # once a place is free


def test_so_many_wait_for_a_place_in_a_crew_and_no_more():
    crew, free = Crew('test', 1, waiting=1), threading.Event()
    asking = [threading.Thread(target=crew.ask, args=['red', 60, free.wait, 60]) for _ in range(2)]
    asking[0].start()
    while not crew._taken:
        free.wait(0.01)
    asking[1].start()
    while not crew._asking:
        free.wait(0.01)
    with pytest.raises(TimeoutError):
        crew.ask('blue', 3600, int)
    free.set()
    for thread in asking:
        thread.join(60)
    assert crew.ask('blue', 60, int) == 0 and not crew._taken


def test_a_job_of_a_crew_that_fails_is_logged_and_answers_nothing(caplog):
    crew = Crew('test', 2)
    assert crew.ask('red', 60, sys.exit, 'of a driver') is None
    assert '"test" failed: SystemExit(\'of a driver\')' in caplog.text
    assert crew.ask('red', 60, int) == 0


def test_a_crew_without_a_thread_gives_the_place_back(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    crew = Crew('test', 1)
    with monkeypatch.context() as patches:
        patches.setattr(threading.Thread, 'start', start)
        with pytest.raises(TimeoutError, match='new thread'):
            crew.ask('red', 60, int)
    assert crew.ask('red', 60, int) == 0
