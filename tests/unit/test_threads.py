"""The pool of jobs; its loops are tried in tests/engine/test_loops.py."""

import sys
import threading

from magnum_lite.threads import Pool


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
    pool.tell_overdue(3600)
    assert not caplog.records
    for _ in range(2):
        pool.tell_overdue(0)
    free.set()
    pool.shut()
    pool.wait()
    hung = [record for record in caplog.records if '"uuid"' in record.getMessage()]
    assert [record.levelname for record in hung] == ['CRITICAL']
    assert 'driver_that_hangs\n    free.wait(10)' in hung[0].getMessage()
