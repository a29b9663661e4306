"""Threads: loops that run for as long as the process lives, a pool for jobs, and a crew for those
who wait for an answer.

An error that nobody foresaw would end a thread in silence, while the process looks well. Here it
is logged and counted, and the loop runs again; a process that cannot do without the loop ends.
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

T = TypeVar('T')
LOG = logging.getLogger(__name__)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0  # a loop that ran for so long begins anew with the first
MOST_FAILURES = 4  # in a row, of a vital loop


class Loop:
    """A thread that runs a function, and again after an error.

    :param name: as the log calls it.
    :param run: returns once it is told to stop.
    :param vital_s: None for a loop that is started again for ever. The process ends where a vital
        one fails MOST_FAILURES times in a row: in order if it does so within so many seconds.
    :ivar failures: how often it failed.
    """

    def __init__(self, name: str, run: Callable[[], None], *, vital_s: float | None = None):
        self.name = name
        self.failures = 0
        self._run = run
        self._vital_s = vital_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        """Begin.

        :raises RuntimeError: the system has no thread left.
        """
        self._thread.start()

    def end(self, within_s: float) -> bool:
        """Wait for the end of the function, which somebody has told to stop; whether it came."""
        self._stopping.set()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _go_on(self) -> None:
        in_a_row = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._run()
                return
            except BaseException as error:  # SystemExit too would end it in silence
                if time.monotonic() - began > LONGEST_PAUSE_S:
                    in_a_row = 0
                in_a_row += 1
                self.failures += 1
                if self._vital_s is not None and in_a_row >= MOST_FAILURES:
                    LOG.critical(
                        'The loop "%s" failed %d times in a row, so this process ends: %r',
                        self.name,
                        in_a_row,
                        error,
                        exc_info=True,
                    )
                    end_process(self._vital_s)
                    return
                pause_s = min(FIRST_PAUSE_S * 2 ** (in_a_row - 1), LONGEST_PAUSE_S)
                LOG.exception(
                    'The loop "%s" failed, %d in a row, %d in all, and goes on in %d s: %r',
                    self.name,
                    in_a_row,
                    self.failures,
                    pause_s,
                    error,
                )
                self._stopping.wait(pause_s)


class Pool:
    """Threads that take jobs, never two of one key at a time.

    :param threads: how many jobs run at a time; more wait for their turn.
    """

    def __init__(self, name: str, threads: int):
        self._threads = threads
        self._executor = futures.ThreadPoolExecutor(threads, name)
        self._lock = threading.Lock()
        self._keys: set[str] = set()  # of the jobs that run or wait
        self._running: dict[str, tuple[float, int]] = {}  # since when, and in which thread
        self._told: set[str] = set()  # of the jobs that run for too long
        self._is_shut = False

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    @property
    def room(self) -> int:
        """How many jobs would begin at once; below 0 some wait already."""
        return self._threads - len(self._keys)

    @property
    def longest_s(self) -> float:
        """Seconds for which the job has run that began first; 0 where none runs."""
        with self._lock:
            began = [since for since, _thread in self._running.values()]
        return time.monotonic() - min(began) if began else 0.0

    def submit(
        self,
        key: str,
        job: Callable[..., None],
        *args: Any,
        failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        """Run ``job(*args)``, unless a job of that key is there already, or the pool is shut.

        :param failed: called in the same thread with what the job raised.
        """
        with self._lock:
            if self._is_shut or key in self._keys:
                return
            self._keys.add(key)
            # Where this fails the job is queued all the same, so its key stays.
            self._executor.submit(self._run, key, job, args, failed)

    def tell_overdue(self, after_s: float) -> list[str]:
        """Log each job that runs for longer, once, and where its thread is; their keys."""
        with self._lock:
            found = {
                key: thread
                for key, (began, thread) in self._running.items()
                if key not in self._told and time.monotonic() - began > after_s
            }
            self._told |= found.keys()
        frames = sys._current_frames() if found else {}
        for key, thread in found.items():
            stack = ''.join(traceback.format_stack(frames[thread])) if thread in frames else ''
            LOG.critical(
                'The job "%s" runs for more than %d s, and no thread can be ended:\n%s',
                key,
                after_s,
                stack,
            )
        return list(found)

    def shut(self) -> None:
        """Take no more jobs, and forget those that wait for their turn."""
        with self._lock:
            self._is_shut = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def wait(self) -> None:
        """Wait for the jobs that run, once the pool is shut."""
        self._executor.shutdown(wait=True)

    def _run(
        self,
        key: str,
        job: Callable[..., None],
        args: tuple[Any, ...],
        failed: Callable[[BaseException], None] | None,
    ) -> None:
        with self._lock:
            self._running[key] = time.monotonic(), threading.get_ident()
        try:
            try:
                job(*args)
            except BaseException as error:
                if failed is None:
                    raise
                failed(error)
        except BaseException as error:
            LOG.exception('The job "%s" failed: %r', key, error)
        finally:
            with self._lock:
                self._keys.discard(key)
                self._running.pop(key, None)
                self._told.discard(key)


class Crew:
    """Threads that work for those who wait, each for a while only; one owner has half at most.

    A job that takes longer goes on and keeps its place: no thread can be ended.

    :param threads: how many jobs run at a time.
    :param waiting: how many more may wait for a place; None for any number.
    """

    def __init__(self, name: str, threads: int, *, waiting: int | None = None):
        self._name = name
        self._most = threads
        self._waiting = waiting
        self._freed = threading.Condition()
        self._taken: Counter[str] = Counter()
        self._asking = 0

    def ask(self, owner: str, within_s: float, job: Callable[..., T], *args: Any) -> T | None:
        """What ``job(*args)`` returns; None if it fails, which is logged.

        :raises TimeoutError: there is no place, or no answer in time.
        """
        until = time.monotonic() + within_s
        with self._freed:
            if self._waiting is not None and self._asking >= self._waiting:
                within_s = 0
            self._asking += 1
            try:
                if not self._freed.wait_for(lambda: self._has_place(owner), within_s):
                    raise TimeoutError('no place is free')
            finally:
                self._asking -= 1
            self._taken[owner] += 1
        answer: futures.Future[T | None] = futures.Future()
        thread = threading.Thread(
            target=self._run, args=(owner, answer, job, args), name=self._name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # no thread is left now
            self._leave(owner)
            raise TimeoutError(str(error)) from error
        return answer.result(max(0, until - time.monotonic()))

    def _has_place(self, owner: str) -> bool:
        return self._taken.total() < self._most and self._taken[owner] < (self._most + 1) // 2

    def _leave(self, owner: str) -> None:
        with self._freed:
            self._taken[owner] -= 1
            self._taken += Counter()  # forgets owners without a place
            self._freed.notify_all()

    def _run(
        self,
        owner: str,
        answer: 'futures.Future[T | None]',
        job: Callable[..., T],
        args: tuple[Any, ...],
    ) -> None:
        try:
            answer.set_result(job(*args))
        except BaseException as error:
            LOG.exception('"%s" failed: %r', self._name, error)
            answer.set_result(None)
        finally:
            self._leave(owner)


def end_process(within_s: float) -> None:
    """Ask this process to end in order, as its manager would; make it end after so many seconds."""
    timer = threading.Timer(within_s, _end_now, [within_s])
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _end_now(within_s: float) -> None:
    LOG.critical('This process did not end in order within %d s, so it ends now', within_s)
    os._exit(1)
