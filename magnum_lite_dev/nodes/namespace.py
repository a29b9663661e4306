"""Network namespaces of one state directory: their names, and how a thread works in one."""

import ctypes
import pathlib
import threading
import zlib
from collections.abc import Callable
from typing import Any

from magnum_lite_dev.nodes.command import links, run

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PREFIX = 'ml'
NO_IPV6 = pathlib.Path('/proc/sys/net/ipv6/conf/all/disable_ipv6')
MOUNTED = pathlib.Path('/run/netns')


def tag(directory) -> str:
    """What all names of one directory begin with; also its interface in this machine's namespace.

    Interfaces have at most 15 characters.
    """
    return f'{PREFIX}{zlib.crc32(str(pathlib.Path(directory).resolve()).encode()):08x}'


def name(owner, kind, row_id) -> str:
    """The name of a namespace.

    :param owner: see :func:`tag`.
    :param kind: ``net``, ``dhcp``, ``router``, ``server``, ``lb`` or ``ext``.
    """
    return f'{owner}-{kind}-{row_id[:13]}'


def there(owner) -> list[str]:
    """The namespaces whose names begin with a tag."""
    return sorted(path.name for path in MOUNTED.glob(f'{owner}-*'))


def add(namespace) -> None:
    """Make a namespace, anew if it was there: without IPv6, which no part of it filters."""
    if (MOUNTED / namespace).exists():
        remove(namespace)
    run('ip', 'netns', 'add', namespace)
    links(namespace, 'link set lo up')
    within(namespace, lambda: NO_IPV6.write_text('1'))


def remove(namespace) -> None:
    """Remove a namespace and all interfaces in it; nothing happens without one."""
    run('ip', 'netns', 'del', namespace, check=False)


def within(namespace, make: Callable[[], Any]) -> Any:
    """What ``make()`` returns in a thread that has joined the namespace.

    A socket stays in the namespace where it was made.
    """
    made, failed = [], []

    def work() -> None:
        try:
            with (MOUNTED / namespace).open() as file:
                if LIBC.setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f'{namespace} cannot be joined')
            made.append(make())
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=work, name=f'in-{namespace}')
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return made[0]
