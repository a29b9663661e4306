"""The file with the keys: read only when it is private, written so that a full disk loses none."""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from magnum_lite.exceptions import ServiceError
from magnum_lite.secrets.sealing import Key

NOT_SET = (
    '[secrets] key_file is not set. Set it to a path, as /etc/magnum-lite/keys, and run: '
    'magnum-lite-manage secret key'
)
_Lines = tuple[str, ...]
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadKeyFile(ServiceError):
    """The key file is missing, unreadable, broken or not private. For operators: names the path."""

    code = 'bad-key-file'
    message = '[secrets] key_file {path} {reason}'


@dataclass(frozen=True)
class KeyFile:
    """What was read.

    :ivar stamp: changes with the file; see ``stamp``.
    """

    keys: tuple[str, ...] = field(repr=False)
    stamp: tuple[int, ...]


def stamp(path: str) -> tuple[int, ...]:
    """Differs after each change of the file.

    :raises OSError: there is none.
    """
    found = Path(path).stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode


def read(path: str | None) -> KeyFile:
    """The keys, the one that seals first.

    :raises BadKeyFile: it cannot be used, and why.
    """
    if not path:
        raise BadKeyFile(NOT_SET)
    try:
        seen = stamp(path)
        text = Path(path).read_text()
    except FileNotFoundError as error:
        raise BadKeyFile(
            path=path,
            reason='is missing. Copy it from another host of the '
            'service, or from the backup. Only for a new '
            'database run: magnum-lite-manage secret key',
        ) from error
    except (OSError, ValueError) as error:
        raise BadKeyFile(path=path, reason=f'cannot be read: {error}') from error
    mode = seen[-1]
    if mode & _OTHERS:
        raise BadKeyFile(
            path=path,
            reason=f'has mode {stat.S_IMODE(mode):04o}: others than its '
            f'owner may use it. Run: chmod 0600 {path}, and think '
            'of a new key if somebody may have read it',
        )
    keys = tuple(text.split())
    if not keys:
        raise BadKeyFile(
            path=path,
            reason='is empty. Restore it from the backup. Only where '
            'nothing was ever sealed delete it and run: '
            'magnum-lite-manage secret key',
        )
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError as error:
            raise BadKeyFile(path=path, reason=f'has no key in line {number}: {error}') from error
    return KeyFile(keys, seen)


def put_first(path: str | None, key: str) -> None:
    """Put a key before those of the file, or make the file; waits for others that change it.

    :raises BadKeyFile: what is there cannot be used; it stays as it is.
    :raises BadKeyFile: it cannot be written; it stays as it is.
    """
    _change(path, lambda old: (key, *old))


def put_last(path: str | None, key: str) -> None:
    """As ``put_first``, but after the others: it opens, and does not seal."""
    _change(path, lambda old: (*old, key))


def move_first(path: str | None, key_id: str) -> None:
    """Put the key of the file that has this id before the others; nothing if it is the first.

    :raises BadKeyFile: it is not there, or the file cannot be used; it stays as it is.
    :raises BadKeyFile: it cannot be written; it stays as it is.
    """

    def order(old: _Lines) -> _Lines:
        chosen = [key for key in old if Key(key).id == key_id]
        if not chosen:
            raise BadKeyFile(path=path, reason=f'has no key {key_id}')
        return chosen[0], *(key for key in old if key != chosen[0])

    _change(path, order)


def keep_first(path: str | None, check: Callable[[], None]) -> int:
    """Drop all keys but the first; how many went.

    :param check: raises what forbids it; called when nobody else can change the file.
    :raises BadKeyFile: what is there cannot be used.
    """

    def order(old: _Lines) -> _Lines:
        if not old:
            raise BadKeyFile(path=path, reason='is missing')
        check()
        return old[:1]

    return len(_change(path, order)) - 1


def age_s(path: str | None) -> float:
    """Seconds since the file was changed.

    :raises BadKeyFile: it cannot be used.
    """
    return time.time() - read(path).stamp[2] / 1e9


def _change(path: str | None, order: Callable[[_Lines], _Lines]) -> _Lines:
    """Give the file the keys that ``order`` makes of those it has; those that it had."""
    if not path:
        raise BadKeyFile(NOT_SET)
    target = Path(os.path.realpath(path))  # a symbolic link stays one
    try:
        with _locked(target.parent) as folder:
            old = read(str(target)).keys if target.exists() else ()
            wanted = order(old)
            if wanted != old:
                _replace(target, '\n'.join(wanted) + '\n')
                os.fsync(folder)
    except OSError as error:
        reason = f'cannot be written, and stays as it is: {error.strerror}'
        raise BadKeyFile(path=path, reason=reason) from error
    return old


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(target: Path, text: str) -> None:
    """Write beside, sync, and rename: at each moment the whole old file or the whole new one."""
    fresh = target.with_name(f'.{target.name}.new')
    fresh.unlink(missing_ok=True)  # of a writer that was killed; we have the lock
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, 'w') as file:
            if target.exists():
                old = target.stat()
                os.fchown(descriptor, old.st_uid, old.st_gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        fresh.rename(target)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
