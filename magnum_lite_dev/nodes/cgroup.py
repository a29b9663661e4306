"""Control groups: each node has its own, and what is in them can be ended to the last process."""

import contextlib
import os
import pathlib
import signal
import time

ROOT = pathlib.Path('/sys/fs/cgroup')
TOP = 'magnum-lite'
END_WITHIN_S = 10


def trees() -> list[pathlib.Path]:
    """The mounted hierarchies: one with version 2, one for each controller with version 1."""
    if (ROOT / 'cgroup.controllers').exists():
        return [ROOT]
    return sorted(path for path in ROOT.iterdir() if path.is_dir() and not path.is_symlink())


def make(name) -> list[pathlib.Path]:
    """Make the group ``name``, a path below ``TOP``, everywhere; the ``cgroup.procs`` of it."""
    found = []
    for tree in trees():
        above = tree
        for part in (TOP, *pathlib.PurePath(name).parts):
            group = above / part
            group.mkdir(exist_ok=True)
            if tree == ROOT:
                # Version 2 hands controllers down level by level; one that is not handed to this
                # machine, if it is a container, is not there for nodes either.
                for controller in (above / 'cgroup.controllers').read_text().split():
                    with contextlib.suppress(OSError):
                        (above / 'cgroup.subtree_control').write_text(f'+{controller}')
            if tree.name == 'cpuset':
                # In version 1 it begins empty, and takes no process until it is filled.
                for knob in ('cpuset.cpus', 'cpuset.mems'):
                    (group / knob).write_text((above / knob).read_text())
            above = group
        found.append(above / 'cgroup.procs')
    return found


def pids(name) -> set[int]:
    """The processes in the group and below it."""
    found = set()
    for tree in trees():
        # A group may go while it is read; os.walk passes over what is gone, glob raises.
        for path, _, _ in os.walk(tree / TOP / name):
            with contextlib.suppress(OSError):
                told = pathlib.Path(path, 'cgroup.procs').read_text()
                found |= {int(pid) for pid in told.split()}
    return found


def end(name) -> None:
    """End every process in the group at once, and remove it; nothing happens without one."""
    deadline = time.monotonic() + END_WITHIN_S
    while (left := pids(name)) and time.monotonic() < deadline:
        for pid in left:
            # One that appears as 0 is in another process namespace.
            with contextlib.suppress(ProcessLookupError):
                if pid:
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    remove(name)


def remove(name) -> None:
    """Remove the group and those below it, where no process is in them."""
    for tree in trees():
        for path, _, _ in os.walk(tree / TOP / name, topdown=False):
            with contextlib.suppress(OSError):
                pathlib.Path(path).rmdir()


def names() -> set[str]:
    """The groups directly below ``TOP``."""
    return {path.name for tree in trees() for path in (tree / TOP).glob('*') if path.is_dir()}
