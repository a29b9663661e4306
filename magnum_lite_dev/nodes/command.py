"""Runs programs of this machine; those that stay are found by their control groups."""

import pathlib
import subprocess
import time

from magnum_lite_dev.interrupts import INTERRUPTS

TIMEOUT_S = 60
READY_WITHIN_S = 10
# A process enters its control groups itself, before it becomes the program: so nothing of it is
# ever outside. "0" is whoever writes.
ENTER = 'while [ "$1" != -- ]; do echo 0 > "$1" || exit 125; shift; done; shift; exec "$@"'


class Broken(RuntimeError):
    """A program of this machine failed; the text has its words."""


def run(*argv, given=None, check=True, timeout=TIMEOUT_S) -> subprocess.CompletedProcess:
    """The finished program.

    :param given: text for its standard input.
    :raises Broken: it ended with another status than 0, or not in time.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words, input=given or '', capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Broken(f'{" ".join(words)}: no end after {timeout} s') from error
    if check and done.returncode:
        raise Broken(
            f'{" ".join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}'.strip()
        )
    return done


def links(namespace, *lines) -> None:
    """Run lines of ``ip`` in one network namespace, in order; None is that of this machine."""
    within = ['-n', namespace] if namespace else []
    run('ip', *within, '-batch', '-', given='\n'.join(lines) + '\n')


def start(argv, groups, log) -> subprocess.Popen:
    """The program, started in a session of its own and in control groups.

    :param groups: the ``cgroup.procs`` of each.
    :param log: what it prints is appended there.
    """
    with pathlib.Path(log).open('ab') as output, INTERRUPTS.held():
        return subprocess.Popen(
            ['sh', '-c', ENTER, 'sh', *map(str, groups), '--', *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def notify(process, number) -> bool:
    """Send a signal to a program that reads its files anew by it; whether it did.

    One that has only been started would end by it: it is given time to catch it.
    """
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        status = pathlib.Path(f'/proc/{process.pid}/status').read_text()
        caught = int(status.partition('SigCgt:')[2].split()[0], 16)
        if caught >> (number - 1) & 1:
            process.send_signal(number)
            return True
        time.sleep(0.01)
    return False
