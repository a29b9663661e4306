"""Doors before TCP services, which let pass what their faults leave."""

import contextlib
import select
import socket
import socketserver
import struct
import threading
import time
from typing import Self
from urllib.parse import urlsplit

Address = tuple[str, int]

# cut: connections are reset, new ones too. stall: nothing passes, and all of it later.
# freeze: connections of that time carry nothing any more and are not reset.
# lose: what is sent arrives, and the connection ends before the answer. delay: each lot waits.
# drip: answers come a byte now and then. truncate: half an answer, then the end.
KINDS = ('cut', 'stall', 'freeze', 'lose', 'delay', 'drip', 'truncate')
DELAY_S = 0.5
DRIP_S = 0.5
_PORTS = {'rabbit': 5672, 'mysql': 3306, 'postgresql': 5432, 'http': 80}
_LOOK_S = 0.05
_LOT = 65536
_RESET = struct.pack('ii', 1, 0)


class Door(socketserver.ThreadingTCPServer):
    """A TCP proxy on a loopback port of its own; a context manager that ends it.

    :ivar port: where it listens.
    :ivar fault: what it does to what passes, one of ``KINDS``; None lets everything pass.
    :ivar struck: how many times a fault changed something.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    kinds = KINDS

    def __init__(self, host, port, handler=None) -> None:
        super().__init__(('127.0.0.1', 0), handler or _Passage)
        self.target = host, port
        self.port = self.server_address[1]
        self.fault = None
        self.struck = 0
        self.is_open = True
        self._count = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def address(self) -> Address | None:
        """Where the next connection goes; None when there is nothing behind the door."""
        return self.target

    def is_reset(self, address, since_s) -> bool:
        """Whether connections to an address that began at a moment have to end."""
        return False

    def strike(self) -> None:
        """Count that a fault changed something."""
        with self._count:
            self.struck += 1

    def wait_while(self, *faults) -> None:
        """Wait as long as one of these faults is on and the door is not ended."""
        while self.is_open and self.fault in faults:
            time.sleep(_LOOK_S)

    def handle_error(self, request, client_address) -> None:
        """Say nothing of a connection that broke: that is what doors are for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.is_open = False
        self.shutdown()
        self.server_close()


def before(enter, kind, url) -> tuple[Door, str]:
    """(a door before the service of a URL, the URL through it).

    :param enter: of the ``ExitStack`` that ends it.
    """
    where = urlsplit(url)
    port = where.port or _PORTS[where.scheme.partition('+')[0]]
    door = enter(kind(where.hostname, port))
    user, at, _address = where.netloc.rpartition('@')
    return door, where._replace(netloc=f'{user}{at}127.0.0.1:{door.port}').geturl()


def reset(connection) -> None:
    """End a connection with a reset instead of a farewell."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


class BalancingDoor(Door):
    """A door before several services of one kind, as a load balancer: each connection goes to the
    next one.

    :param addresses: of the services, (host, port).
    """

    def __init__(self, addresses) -> None:
        super().__init__(*addresses[0])
        self._addresses = list(addresses)
        self._begun = 0
        self._reset_s = {}

    def use(self, addresses) -> None:
        """Send new connections to these alone, and end those to the others that were used."""
        for address in set(self._addresses) - set(addresses):
            self.reset_all(address)
        self._addresses = list(addresses)

    def reset_all(self, address) -> None:
        """End every connection to an address with a reset."""
        self._reset_s[address] = time.monotonic()

    def address(self) -> Address | None:
        """The next one."""
        addresses = self._addresses
        self._begun += 1
        return addresses[self._begun % len(addresses)] if addresses else None

    def is_reset(self, address, since_s) -> bool:
        """Whether ``reset_all`` came after a connection began."""
        return since_s <= self._reset_s.get(address, 0)


class _Passage(socketserver.BaseRequestHandler):
    """One connection through a door."""

    def handle(self) -> None:
        """Carry bytes both ways until an end closes or the fault ends it."""
        address, began_s = self.server.address(), time.monotonic()
        if self.server.fault == 'cut':
            self.server.strike()
        if self.server.fault == 'cut' or address is None:
            return reset(self.request)
        with contextlib.suppress(OSError), socket.create_connection(address) as inside:
            for end in (self.request, inside):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._carry(inside, address, began_s)
        return None

    def _carry(self, inside, address, began_s) -> None:
        ends = {self.request: inside, inside: self.request}
        is_frozen = False
        while self.server.is_open:
            if self.server.is_reset(address, began_s):
                reset(self.request)
                return
            if self.server.fault == 'cut':
                self.server.strike()
                reset(self.request)
                return
            if self.server.fault == 'freeze' and not is_frozen:
                is_frozen = True
                self.server.strike()
            for ready in select.select(list(ends), [], [], _LOOK_S)[0]:
                lot = ready.recv(_LOT)
                if not lot or not (is_frozen or self._pass(lot, ends[ready], ready is inside)):
                    return

    def _pass(self, lot, to, is_answer) -> bool:
        """Send a lot on as the fault allows; whether the connection stays."""
        fault = self.server.fault
        if fault in ('stall', 'delay'):
            self.server.strike()
            if fault == 'delay':
                time.sleep(DELAY_S)
            self.server.wait_while('stall')
        elif is_answer and fault == 'lose':
            self.server.strike()
            return False
        elif is_answer and fault == 'truncate':
            self.server.strike()
            to.sendall(lot[: len(lot) // 2])
            return False
        elif is_answer and fault == 'drip':
            self.server.strike()
            lot = drip(self.server, lot, to.sendall)
        to.sendall(lot)
        return True


def drip(door, lot, send) -> bytes:
    """Send a byte now and then as long as the door drips; what is left to send at once."""
    while lot and door.is_open and door.fault == 'drip':
        send(lot[:1])
        lot = lot[1:]
        time.sleep(DRIP_S)
    return lot
