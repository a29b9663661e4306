"""Processes that outlive the command that started them: pid files, logs, orderly ends."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
from typing import Any

from magnum_lite_dev.interrupts import INTERRUPTS

POLL_S = 0.1
# What other libraries announce for their own future would be the first lines of every log.
QUIET = {'PYTHONWARNINGS': 'ignore', **os.environ, 'PYTHONUNBUFFERED': '1'}


class Background:
    """One named process, found again through its pid file.

    A pid alone may belong to somebody else by now, so the file also holds when the process
    started.

    :param directory: where the pid file is.
    """

    def __init__(self, name, directory) -> None:
        self.name = name
        self._file = pathlib.Path(directory) / f'{name}.pid'
        self._child = None

    @property
    def pid(self) -> int | None:
        """The process's id, None when it does not run."""
        told = self._read()
        if told and self._child and self._child.pid == told['pid']:
            # Reaps it, or a child that ended would look alive for ever.
            self._child.poll()
        return told['pid'] if told and birth(told['pid']) == told['birth'] else None

    @property
    def is_stale(self) -> bool:
        """Whether the pid file tells of a process that is gone: it died, or the machine did."""
        return self._read() is not None and self.pid is None

    def poll(self) -> int | None:
        """None while it runs."""
        return None if self.pid else 1

    def start(self, command, log) -> None:
        """Start it in a session of its own, output appended to ``log``.

        A signal is held back until the process is written down: else nobody could stop it.
        """
        with pathlib.Path(log).open('ab') as output, INTERRUPTS.held():
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=QUIET,
            )
            self._file.write_text(
                json.dumps({'pid': self._child.pid, 'birth': birth(self._child.pid)})
            )

    def ask_to_stop(self) -> bool:
        """Ask it to end, and go on; whether it ran."""
        pid = self.pid
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        return pid is not None

    def stop(self, *, within_s=20) -> None:
        """Ask it to end, make it end after ``within_s``, and forget it."""
        pid = self.pid
        if self.ask_to_stop():
            deadline = time.monotonic() + within_s
            while self.pid and time.monotonic() < deadline:
                time.sleep(POLL_S)
            with contextlib.suppress(ProcessLookupError):
                # The session's other members too, should it have any.
                os.killpg(pid, signal.SIGKILL)
        self._file.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any] | None:
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError):
            return None


def birth(pid) -> str | None:
    """When the process started, in ticks since the machine did; None when it does not live."""
    try:
        fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else fields[19]


def end_with(parent) -> None:
    """SIGTERM this process once ``parent``, a pid, is gone; None watches nobody.

    A command that is killed outright then leaves nothing behind.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    if parent is not None:
        threading.Thread(target=watch, name='parent', daemon=True).start()


def tail(path, lines) -> str:
    """The last lines of a text file, '' when it is not there."""
    try:
        text = pathlib.Path(path).read_text(errors='replace')
    except OSError:
        return ''
    return '\n'.join(text.splitlines()[-lines:])
