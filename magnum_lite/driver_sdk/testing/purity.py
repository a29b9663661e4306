"""A guard under which a pure function may run: no network, no program, no file written."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

_FORBIDDEN = (
    'socket.connect',
    'socket.bind',
    'socket.sendto',
    'socket.getaddrinfo',
    'subprocess.Popen',
    'os.system',
    'os.exec',
    'os.posix_spawn',
    'os.remove',
    'os.rename',
    'os.mkdir',
    'sqlite3.connect',
)
_guarded = threading.local()
_installed = threading.Event()


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Within it, this thread may compute and read the package's files, and nothing else.

    :raises AssertionError: from inside, at whatever was tried.
    """
    # An audit hook cannot be taken away again, so there is one, and it looks at a flag.
    if not _installed.is_set():
        sys.addaudithook(_hook)
        _installed.set()
    _guarded.on = True
    try:
        yield
    finally:
        _guarded.on = False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if not getattr(_guarded, 'on', False):
        return
    writes = event == 'open' and isinstance(args[1], str) and set('wax+') & set(args[1])
    # Python itself writes compiled modules when something is imported for the first time.
    compiled = event == 'open' and '__pycache__' in str(args[0])
    if (writes and not compiled) or event in _FORBIDDEN:
        raise AssertionError(f'not pure: {event} {args!r}')
