"""The disk of a node: a file with a file system as large as the flavor says, over an image."""

import contextlib
import os
import pathlib
import shutil

from magnum_lite_dev.nodes.command import run

# The root is an overlay, and nothing puts an overlay of its own on one: engines do here.
DATA = ('/var/lib/containerd', '/var/lib/docker', '/var/lib/etcd', '/var/lib/kubelet')
# Of a flavor without a disk.
LEAST_GIB = 10
FILLER = 'filler'


class Disk:
    """A disk below a directory.

    :param directories: what it lies over, the uppermost first.
    """

    def __init__(self, directory, gib, directories) -> None:
        self._directory = pathlib.Path(directory)
        self._gib = gib or LEAST_GIB
        self._lower = list(directories)
        self._disk = self._directory / 'disk'
        self.root = self._directory / 'root'
        self._file = self._directory / 'disk.img'

    @property
    def is_new(self) -> bool:
        """Whether nothing was written to it yet."""
        return not self._file.exists()

    def mount(self) -> None:
        """Make what is not there, and mount it; what is mounted stays.

        :raises Broken: in the words of the program that failed.
        """
        for path in (self._disk, self.root):
            path.mkdir(parents=True, exist_ok=True)
        if self.is_new:
            fresh = self._file.with_suffix('.new')
            with fresh.open('wb') as file:
                file.truncate(self._gib << 30)
            # What a crash of this machine leaves of it is deleted, so that no journal is needed.
            run('mkfs.ext4', '-q', '-F', '-m', '0', '-O', '^has_journal', *FAST, fresh)
            fresh.rename(self._file)
        if not os.path.ismount(self._disk):
            run('mount', '-o', 'loop', self._file, self._disk)
        for name in ('upper', 'work', *(_name(path) for path in DATA)):
            (self._disk / name).mkdir(exist_ok=True)
        if not os.path.ismount(self.root):
            parts = (
                f'lowerdir={":".join(self._lower)}',
                f'upperdir={self._disk}/upper',
                f'workdir={self._disk}/work',
            )
            run('mount', '-t', 'overlay', 'overlay', '-o', ','.join(parts), self.root)

    @property
    def data(self) -> list[tuple[pathlib.Path, str]]:
        """(directory here, path in the node) of what is no overlay."""
        return [(self._disk / _name(path), path) for path in DATA]

    def fill(self) -> None:
        """Leave no room on it."""
        with (self._disk / FILLER).open('ab') as file:
            size = os.fstatvfs(file.fileno())
            os.posix_fallocate(file.fileno(), 0, max(1, size.f_bavail - SPARE) * size.f_frsize)
            # What is left because it was asked for in whole.
            block = b'\0' * size.f_frsize
            with contextlib.suppress(OSError):
                os.lseek(file.fileno(), 0, os.SEEK_END)
                while True:
                    os.write(file.fileno(), block)

    def empty(self) -> None:
        """Give the room back."""
        (self._disk / FILLER).unlink(missing_ok=True)

    def unmount(self) -> None:
        """Unmount it; its file stays."""
        for path in (self.root, self._disk):
            unmount(path)

    def remove(self) -> None:
        """Unmount and delete it."""
        self.unmount()
        shutil.rmtree(self._directory, ignore_errors=True)


FAST = ('-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard')
SPARE = 256


def unmount(path) -> None:
    """Unmount what is at a path and below it, even where somebody still reads it."""
    while os.path.ismount(path):
        if run('umount', '--recursive', path, check=False).returncode:
            run('umount', '--recursive', '--lazy', path)


def _name(path) -> str:
    return path.strip('/').replace('/', '-')
