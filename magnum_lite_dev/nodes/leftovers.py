"""What a process that runs nodes leaves on this machine when it is killed, found and removed.

Everything carries the tag of its directory: control groups, network namespaces, and mounts below
the directory itself. ``CLAIMS`` says which directories there are; like the rest, it does not
survive a boot of this machine.
"""

import contextlib
import json
import os
import pathlib
import shutil
import time

from magnum_lite_dev.nodes import cgroup, namespace
from magnum_lite_dev.nodes.command import run
from magnum_lite_dev.nodes.disk import unmount
from magnum_lite_dev.nodes.volumes import devices
from magnum_lite_dev.processes import birth

CLAIMS = pathlib.Path('/run/magnum-lite-dev')
MOUNTS = pathlib.Path('/proc/self/mounts')
RELEASE_WITHIN_S = 10


def claim(directory) -> None:
    """Write down that this process runs nodes below a directory."""
    CLAIMS.mkdir(exist_ok=True)
    (CLAIMS / namespace.tag(directory)).write_text(
        json.dumps({'directory': str(directory), 'pid': os.getpid(), 'birth': birth(os.getpid())})
    )


def sweep(directory) -> None:
    """End what runs for a directory and remove all but its files; nothing to do is fine.

    The process that runs its nodes must have ended, or be the caller.
    """
    owner = namespace.tag(directory)
    cgroup.end(owner)
    for name in namespace.there(owner):
        namespace.remove(name)
    run('ip', 'link', 'del', owner, check=False)
    for path in reversed(_mounts(directory)):
        unmount(path)
    _release(pathlib.Path(directory).resolve())
    (CLAIMS / owner).unlink(missing_ok=True)
    for tree in cgroup.trees():
        # Where it is the last, the one above goes too.
        with contextlib.suppress(OSError):
            (tree / cgroup.TOP).rmdir()


def _release(directory) -> None:
    """Take block devices away; one is held a while by a node that starts elsewhere meanwhile, as
    its first namespace has all mounts of this machine."""
    deadline = time.monotonic() + RELEASE_WITHIN_S
    while (left := devices(directory)) and time.monotonic() < deadline:
        for device in left:
            run('losetup', '-d', device, check=False)
        time.sleep(0.1)


def _mounts(directory) -> list[str]:
    below = f'{pathlib.Path(directory).resolve()}/'
    found = []
    for line in MOUNTS.read_text().splitlines():
        path = line.split()[1].replace('\\040', ' ')
        if path.startswith(below):
            found.append(path)
    return found


def purge(directory) -> None:
    """Remove the files too."""
    sweep(directory)
    shutil.rmtree(directory, ignore_errors=True)


def is_there(directory) -> bool:
    """Whether anything runs or is mounted for a directory."""
    owner = namespace.tag(directory)
    return bool(
        (CLAIMS / owner).exists()
        or owner in cgroup.names()
        or namespace.there(owner)
        or _mounts(directory)
    )


def orphans() -> list[str]:
    """The directories whose process has ended without a word."""
    found = []
    for path in sorted(CLAIMS.glob(f'{namespace.PREFIX}*')):
        with contextlib.suppress(OSError, ValueError, KeyError):
            told = json.loads(path.read_text())
            if birth(told['pid']) != told['birth']:
                found.append(told['directory'])
    return found
