"""What a request passes before it reaches an endpoint, from the outside in.

CORS answers browsers, even for what is refused further in. The headers of a proxy come before all
that makes links or looks at addresses, and the request id before identity, so that a 401 has one
too. Audit needs to know who asks. Bodies are limited innermost, in ``app``, since nobody before
reads them; what is left of one is read outermost, whoever refused the request.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from keystonemiddleware import audit, auth_token
from oslo_config import cfg
from oslo_context import context
from oslo_middleware import cors, http_proxy_to_wsgi, request_id

from magnum_lite.context import DevelopmentIdentity

LOG = logging.getLogger(__name__)
Wsgi = Callable[..., Any]
# Of a longer body nothing is read after the answer, and the server does what it does.
MAX_BYTES = 4 * 2**20
MAX_S = 5.0
_PIECE = 8192


def outer(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What every request passes, also one for the health check."""
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        application = http_proxy_to_wsgi.HTTPProxyToWSGI(application, conf)
    if conf.cors.allowed_origin:
        application = cors.CORS(application, conf)
    return Drain(application)


def public(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What a request that needs no token passes."""
    return request_id.RequestId(RequestLog(application), conf)


def protected(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What all other requests pass.

    :raises ValueError: the development identity is to listen on more than loopback.
    """
    if conf.audit.enabled:
        application = audit.AuditMiddleware(
            application,
            oslo_config_config=conf,
            audit_map_file=conf.audit.map_file,
            ignore_req_list=','.join(conf.audit.ignore_methods),
            service_name='magnum',
        )
    if conf.identity.mode == 'development':
        application = DevelopmentIdentity(application, conf)
    else:
        application = auth_token.AuthProtocol(application, {'oslo_config_config': conf})
    return public(application, conf)


class RequestLog:
    """Logs each request, and gives all that is logged for it its request id, before anybody knows
    who asks. Queries are left out."""

    def __init__(self, application: Wsgi):
        self._application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass on, and log what was answered."""
        began, found = time.monotonic(), ['none']

        def start(status: str, *args: Any) -> Any:
            found[0] = status.partition(' ')[0]
            return start_response(status, *args)

        # A thread answers many requests: what it kept of the one before goes.
        context.RequestContext(
            request_id=environ.get('openstack.request_id'),
            global_request_id=environ.get('openstack.global_request_id'),
        )
        try:
            return self._application(environ, start)
        finally:
            LOG.info(
                '%s "%s %s" status: %s time: %.3f',
                environ.get('REMOTE_ADDR', ''),
                environ['REQUEST_METHOD'],
                quote(environ.get('SCRIPT_NAME', '') + environ['PATH_INFO']),
                found[0],
                time.monotonic() - began,
            )


class Drain:
    """Reads bodies to their end, after the answer, within bounds of bytes and time.

    An answer often comes before its request was read: 401, 404, 413, 415. A server that speaks
    keep-alive would find the rest where it expects the next request, so it closes the connection,
    and the next request of the client is lost.
    """

    def __init__(self, application: Wsgi):
        self._application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer, and read on when the answer has been sent."""
        size, source = environ.get('CONTENT_LENGTH') or '0', environ['wsgi.input']
        if hasattr(source, 'seek'):  # the server has read all of it
            return self._application(environ, start_response)
        if size.isdecimal() and int(size):
            body = _Body(source, int(size))
        elif environ.get('wsgi.input_terminated'):  # chunked: the server knows the end
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
