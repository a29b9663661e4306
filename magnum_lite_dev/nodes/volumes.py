"""Volumes of the simulated cloud that nodes have: files of this machine as block devices."""

import os
import pathlib

from magnum_lite_dev.nodes.command import run


class Volumes:
    """The volumes below a directory; each keeps its data until it is deleted."""

    def __init__(self, directory) -> None:
        self._directory = pathlib.Path(directory)

    def device(self, volume_id, gib) -> tuple[int, int]:
        """(major, minor) of a volume's block device; made when there is none.

        :raises Broken: in the words of losetup.
        """
        path = self._path(volume_id)
        if not path.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            with path.open('wb') as file:
                file.truncate(int(gib) << 30)
        found = devices(path) or [run('losetup', '-f', '--show', path).stdout.strip()]
        number = pathlib.Path(found[0]).stat().st_rdev
        return os.major(number), os.minor(number)

    def release(self, volume_id) -> None:
        """Take the block device away; the data stays."""
        for device in devices(self._path(volume_id)):
            run('losetup', '-d', device)

    def remove(self, volume_id) -> None:
        """Delete a volume; nothing happens without one."""
        if self._path(volume_id).exists():
            self.release(volume_id)
            self._path(volume_id).unlink()

    def _path(self, volume_id) -> pathlib.Path:
        return self._directory / f'{volume_id}.img'


def devices(path) -> list[str]:
    """The block devices of a file, or of all files below a directory."""
    lines = run('losetup', '-l', '-n', '-O', 'NAME,BACK-FILE').stdout.splitlines()
    found = [line.split(maxsplit=1) for line in lines]
    return [
        words[0]
        for words in found
        if len(words) == 2 and (words[1] == str(path) or words[1].startswith(f'{path}/'))
    ]
