"""HTTP whose calls have a total time: from the connection to the last byte of the body.

A timeout of ``requests`` starts anew with each byte, so an answer that drips would never end. A
process that is to stop begins no further call.
"""

import contextvars
import http.client
import io
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from keystoneauth1 import session as ksa
from oslo_config import cfg
from urllib3.connection import HTTPConnection, HTTPSConnection

from magnum_lite import conf as options
from magnum_lite.driver_sdk.errors import CloudUnavailable

_UNTIL: contextvars.ContextVar[float] = contextvars.ContextVar('until', default=float('inf'))
_GATE: contextvars.ContextVar['Gate | None'] = contextvars.ContextVar('gate', default=None)
# A host may have an address of each kind of IP, and each may swallow the attempt to connect.
_ADDRESSES = 2
_Certificate = bytes | str | tuple[bytes | str, bytes | str]  # of a client, as requests has it


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give all calls of a block, in this thread, so much time together; inner blocks no more."""
    token = _UNTIL.set(min(_UNTIL.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _UNTIL.reset(token)


class Stopped(CloudUnavailable):
    """No further call begins: whoever makes it has to stop."""


class Gate:
    """Lets calls of a block, in this thread, begin until it is shut.

    :ivar refused: whether one was refused: the block did not come to its end, whatever it says.
    """

    def __init__(self, is_shut: Callable[[], bool]):
        self._is_shut = is_shut
        self.refused = False

    def __enter__(self) -> 'Gate':
        self._token = _GATE.set(self)
        return self

    def __exit__(self, *error: Any) -> None:
        _GATE.reset(self._token)

    def admit(self) -> None:
        """Let a call begin.

        :raises Stopped: the gate is shut.
        """
        if self._is_shut():
            self.refused = True
            raise Stopped('this process is to stop: it begins no further call to the cloud')


def admit() -> None:
    """Let a call of this thread begin.

    :raises Stopped: its gate is shut.
    """
    if gate := _GATE.get():
        gate.admit()


def session(conf: cfg.ConfigOpts, auth: Any, *, timeout_s: float) -> ksa.Session:
    """A session with some authentication, whose calls take no longer than ``within`` allows.

    :param auth: a keystoneauth plugin, for instance ``RequestContext.token_auth``.
    :param timeout_s: seconds that any one call may take, until the last byte of its answer.
    """
    made = requests.Session()
    for scheme in ('http://', 'https://'):
        made.mount(scheme, _Adapter())
    group = conf[options.SERVICE_AUTH]
    verify = False if group.insecure else (group.cafile or True)
    return _Session(auth=auth, timeout=timeout_s, verify=verify, session=made)


class _Session(ksa.Session):
    """One that does not limit the rate of calls: keystoneauth takes the time for that from the
    clock, and where it is set back each call sleeps until the moment at which its client was made.
    """

    def request(self, *args: Any, rate_semaphore: Any = None, **kwargs: Any) -> Any:
        return super().request(*args, **kwargs)


def _left(until: float) -> float | None:
    """Seconds until a moment of ``time.monotonic``; None for ever.

    :raises TimeoutError: it has passed.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError('the total time of the call is over')
    return None if left == float('inf') else left


class _Reader(io.RawIOBase):
    """The bytes of a socket, until a moment."""

    def __init__(self, sock: socket.socket, until: float):
        self._sock, self._until = sock, until
        self._raw = sock.makefile('rb', buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What ``http.client.HTTPResponse`` uses of a socket."""

    def __init__(self, sock: socket.socket):
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, _UNTIL.get()))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any):
        super().__init__(_Socket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Bounded:
    response_class: type[http.client.HTTPResponse] = _Response
    sock: socket.socket | None

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(_left(_UNTIL.get()))
        super().send(data)  # type: ignore[misc]


class _Connection(_Bounded, HTTPConnection):
    pass


class _SecureConnection(_Bounded, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(ksa.TCPKeepAliveAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {'http': _Pool, 'https': _SecurePool}
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # seconds: a session of keystoneauth has no pairs
        verify: bool | str = True,
        cert: _Certificate | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        admit()
        with within(float('inf') if timeout is None else timeout):
            try:
                left = _left(_UNTIL.get())
            except TimeoutError as error:
                raise requests.Timeout(str(error), request=request) from error
            limits = None if left is None else (left / _ADDRESSES, left)
            return super().send(
                request, stream=stream, timeout=limits, verify=verify, cert=cert, proxies=proxies
            )
