"""Threads: loops that run for as long as the process lives, and a pool for jobs.

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
from collections.abc import Callable
from concurrent import futures
from typing import Any

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
        self._is_shut = False

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    @property
    def room(self) -> int:
        """How many jobs would begin at once; below 0 some wait already."""
        return self._threads - len(self._keys)

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

    def tell_overdue(self, after_s: float) -> None:
        """Log each job that runs for longer, once, and where its thread is."""
        with self._lock:
            found = {
                key: thread
                for key, (began, thread) in self._running.items()
                if time.monotonic() - began > after_s
            }
            for key in found:
                del self._running[key]
        frames = sys._current_frames() if found else {}
        for key, thread in found.items():
            stack = ''.join(traceback.format_stack(frames[thread])) if thread in frames else ''
            LOG.critical(
                'The job "%s" runs for more than %d s, and no thread can be ended:\n%s',
                key,
                after_s,
                stack,
            )

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


def end_process(within_s: float) -> None:
    """Ask this process to end in order, as its manager would; make it end after so many seconds."""
    timer = threading.Timer(within_s, _end_now, [within_s])
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _end_now(within_s: float) -> None:
    LOG.critical('This process did not end in order within %d s, so it ends now', within_s)
    os._exit(1)
