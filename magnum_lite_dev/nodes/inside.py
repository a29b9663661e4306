"""Looks into a node from outside: commands in it, files of it, by the directory it lives in."""

import contextlib
import pathlib
import subprocess
import time

from magnum_lite_dev.nodes.command import Broken, run

START_WITHIN_S = 20
PATHS = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def leader(directory) -> int:
    """The process id, here, of a node's process 1; waits a little for a node that has just begun.

    :raises Broken: it does not run.
    """
    directory = pathlib.Path(directory)
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        try:
            pid = (directory / 'pid').read_text()
            children = pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()
        except OSError:
            break
        for child in children:
            with contextlib.suppress(OSError):
                # nspawn forks twice before it becomes systemd.
                if pathlib.Path(f'/proc/{child}/exe').readlink().name == 'systemd':
                    return int(child)
        time.sleep(0.02)
    raise Broken(f'the node in {directory} does not run')


class Inside:
    """A node by its directory; from any process that is root.

    :ivar name: of its server.
    """

    def __init__(self, name, directory) -> None:
        self.name = name
        self.directory = pathlib.Path(directory)

    def run(self, *argv, check=True, timeout=60) -> subprocess.CompletedProcess:
        """The finished command, run in the node as root.

        :raises Broken: the node does not run; the command failed, unless ``check`` is false.
        """
        return run(
            'nsenter',
            '-t',
            leader(self.directory),
            '-m',
            '-u',
            '-i',
            '-n',
            '-p',
            '-C',
            '--',
            'env',
            '-i',
            PATHS,
            'HOME=/root',
            *argv,
            check=check,
            timeout=timeout,
        )

    def shell(self, script, **how) -> str:
        """What a script for bash prints in the node, without the last line's end."""
        return self.run('bash', '-ec', script, **how).stdout.rstrip('\n')

    def path(self, path) -> pathlib.Path:
        """Where a file of the node is on this machine, also after its power was lost."""
        return self.directory / 'root' / path.lstrip('/')

    def read(self, path) -> str:
        """The text of a file of the node, also after its power was lost."""
        return self.path(path).read_text(errors='replace')
