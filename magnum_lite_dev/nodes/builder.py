"""Makes the tree of a node image from Debian packages."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

from magnum_lite_dev.trouble import Trouble

FINISHED = 'finished.json'
# The last lines of a builder that failed say why.
WORDS = 15
MIB = 1 << 20


def build(recipe, directory, tell, *, mirror=None) -> None:
    """Make ``directory/root`` of a recipe; a minute, as root.

    :param tell: called with each step as text.
    :param mirror: URL of an archive of Debian; the usual one unless given.
    :raises Trouble: with the builder's own words; nothing is left then.
    """
    directory = pathlib.Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    root = directory / 'root'
    try:
        _unpack(recipe, root, tell, mirror)
        tell('settling what starts')
        _finish(recipe, root)
        told = {'mib': _mib(root), 'built_at': time.time(), 'digest': recipe.digest}
        (directory / FINISHED).write_text(json.dumps(told))
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _unpack(recipe, root, tell, mirror) -> None:
    options = ['--aptopt=APT::Install-Recommends "false"']
    options += [f'--dpkgopt=path-exclude={path}' for path in recipe.excluded]
    command = [
        # What it mounts below the tree, and thereby over /dev/shm of this machine, is its own and
        # goes with it, however it ends.
        *('unshare', '--mount', '--propagation', 'private'),
        'mmdebstrap',
        '--mode=root',
        f'--variant={recipe.variant}',
        *options,
        f'--include={",".join(recipe.packages)}',
        recipe.suite,
        str(root),
        *([mirror] if mirror else []),
    ]
    heard = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8'},
    ) as process:
        try:
            for line in process.stdout:
                heard = [*heard, line.rstrip()][-WORDS:]
                if line.startswith('I: '):
                    tell(line[3:].strip().rstrip('.'))
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise Trouble('mmdebstrap failed:\n' + '\n'.join(heard))


def _finish(recipe, root) -> None:
    for path in recipe.removed:
        (root / path.lstrip('/')).unlink(missing_ok=True)
    for path, text in recipe.files.items():
        target = root / path.lstrip('/')
        target.parent.mkdir(parents=True, exist_ok=True)
        # Debian's may be a link to a place that only a running system has.
        target.unlink(missing_ok=True)
        target.write_text(text)
    for path, target in recipe.links.items():
        link = root / path.lstrip('/')
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    for verb, units in (
        ('enable', recipe.enabled),
        ('disable', recipe.disabled),
        ('mask', recipe.masked),
    ):
        if units:
            _systemctl(root, verb, units)


def _systemctl(root, verb, units) -> None:
    done = subprocess.run(
        ['chroot', str(root), 'systemctl', '--quiet', verb, *units],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Trouble(f'systemctl {verb} in the image failed:\n{done.stdout.strip()}')


def _mib(root) -> int:
    size = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):
                size += (pathlib.Path(folder) / name).lstat().st_blocks * 512
    return size // MIB
