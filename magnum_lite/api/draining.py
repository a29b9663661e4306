"""What is left unread of a body, read after the answer.

An answer often comes before its request was read: 401, 404, 413, 415. A server that speaks
keep-alive would find the rest where it expects the next request, so it closes the connection, and
the next request of the client is lost.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MAX_BYTES = 4 * 2 ** 20     # of a larger body nothing is read, and the server does what it does
MAX_S = 5.0
_PIECE = 8192
Wsgi = Callable[..., Iterable[bytes]]


class Drain:
    """Middleware: reads bodies to their end, within bounds of bytes and time."""

    def __init__(self, application: Wsgi):
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]
                 ) -> Iterable[bytes]:
        """Answer, and read on when the answer has been sent."""
        size, source = environ.get('CONTENT_LENGTH') or '0', environ['wsgi.input']
        if hasattr(source, 'seek'):     # the server has read all of it
            return self._application(environ, start_response)
        if size.isdecimal() and int(size):
            body = _Body(source, int(size))
        elif environ.get('wsgi.input_terminated'):      # chunked: the server knows the end
            body = _Body(source, None)
        else:
            return self._application(environ, start_response)
        environ['wsgi.input'] = body
        socket = environ.get('gunicorn.socket')
        return _Answer(self._application(environ, start_response), lambda: body.drain(socket))


class _Answer:
    """The pieces of an answer; the server closes it when it has sent them."""

    def __init__(self, pieces: Iterable[bytes], then: Callable[[], None]):
        self._pieces = pieces
        self._then = then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        """What the server calls last."""
        if hasattr(self._pieces, 'close'):
            self._pieces.close()
        self._then()


class _Body:
    """A body that knows how much of it was read.

    :ivar size: in bytes; None for one that ends by itself.
    """

    def __init__(self, source: Any, size: int | None):
        self._source = source
        self._size = size
        self._taken = 0

    def read(self, *size: int) -> bytes:
        """As the server's."""
        return self._count(self._source.read(*size))

    def readline(self, *size: int) -> bytes:
        """As the server's."""
        return self._count(self._source.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        """As the server's."""
        return [self._count(line) for line in self._source.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return (self._count(line) for line in self._source)

    def drain(self, socket: Any) -> None:
        """Read what is left.

        :param socket: where it comes from, so that a client that sends nothing holds no thread;
            None where the server does not tell.
        """
        left = MAX_BYTES if self._size is None else self._size - self._taken
        if left > MAX_BYTES:
            return
        until = time.monotonic() + MAX_S
        with contextlib.suppress(TimeoutError):
            while left > 0 and (now := time.monotonic()) < until:
                if socket is not None:
                    socket.settimeout(until - now)
                piece = self.read(min(left, _PIECE))
                if not piece:
                    break
                left -= len(piece)
        if socket is not None:
            socket.settimeout(None)

    def _count(self, data: bytes) -> bytes:
        self._taken += len(data)
        return data
