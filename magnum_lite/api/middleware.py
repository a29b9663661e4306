"""What a request passes before it reaches an endpoint, from the outside in.

CORS answers browsers, even for what is refused further in. The headers of a proxy come before all
that makes links or looks at addresses, and the request id before identity, so that a 401 has one
too. Audit needs to know who asks. Bodies are limited innermost, since nobody before reads them;
what is left of one is read outermost, whoever refused the request.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import requests
import webob
import webob.dec
import webob.exc
from keystoneauth1 import exceptions as ksa_exc
from keystonemiddleware import audit, auth_token
from oslo_config import cfg
from oslo_context import context
from oslo_middleware import cors, http_proxy_to_wsgi, request_id, sizelimit
from pecan import hooks

from magnum_lite.api import faults, microversion
from magnum_lite.context import DevelopmentIdentity
from magnum_lite.exceptions import TooLarge, Unavailable

LOG = logging.getLogger(__name__)
# Of a longer body nothing is read after the answer, and the server does what it does.
MAX_BYTES = 4 * 2**20
MAX_S = 5.0
_PIECE = 8192


def outer(application: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    """What every request passes, also one for the health check."""
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        application = http_proxy_to_wsgi.HTTPProxyToWSGI(application, conf)
    if conf.cors.allowed_origin:
        application = cors.CORS(application, conf)
    return Drain(application)


def public(application: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    """What a request that needs no token passes."""
    return request_id.RequestId(RequestLog(application), conf)


def protected(application: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
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
        application = Identity(application, conf)
    return public(application, conf)


class Identity:
    """keystonemiddleware, but that a Keystone which is away is told of as any other error.

    Its own answer is HTML or plain text, as ``Accept`` has it.
    """

    _REACHED = 'magnum_lite.known'

    def __init__(self, application: WSGIApplication, conf: cfg.ConfigOpts):
        self._application = application
        self._guard = auth_token.AuthProtocol(self._enter, {'oslo_config_config': conf})

    def _enter(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[self._REACHED] = True
        return self._application(environ, start_response)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass on with the caller's headers, or answer 401 or 503."""
        away: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if status.startswith('503') and self._REACHED not in environ:
                away.append(status)
                return lambda data: None
            return start_response(status, headers, *error)

        pieces: Iterable[bytes] = ()
        try:
            pieces = self._guard(environ, start)
        except (requests.RequestException, ksa_exc.ClientException, ValueError) as error:
            if self._REACHED in environ:
                raise
            # It lets out what it does not foresee, such as half an answer.
            LOG.warning('Keystone could not be asked for a token: %r', error)
            away.append('503')
        if not away:
            return pieces
        response = faults.answer(Unavailable(what='Keystone'), environ)
        refused: Iterable[bytes] = response(environ, start_response)
        return refused


class RequestLog:
    """Logs each request, and gives all that is logged for it its request id, before anybody knows
    who asks. Queries are left out."""

    def __init__(self, application: WSGIApplication):
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
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


class SizeLimit(sizelimit.RequestBodySizeLimiter):
    """Refuses large bodies as everything else is refused; chunked ones while they are read."""

    @webob.dec.wsgify
    def __call__(self, request: webob.Request) -> webob.Response:
        """Answer 413, or pass on."""
        try:
            answer: webob.Response = super().__call__(request)  # type: ignore[assignment]
            return answer
        except webob.exc.HTTPRequestEntityTooLarge:
            most = self.oslo_conf.oslo_middleware.max_request_body_size
            return faults.answer(TooLarge(limit=most), request.environ)


class VersionHeaders(hooks.PecanHook):  # type: ignore[misc] # Pecan says no types
    """Says on every answer which version it is of, and which there are."""

    def after(self, state: Any) -> None:
        """Set the headers, once routing knows the version."""
        version = state.request.context.get('version')
        if version is not None:
            state.response.headers.update(
                {
                    'OpenStack-API-Minimum-Version': f'{microversion.NAME} {microversion.OLDEST}',
                    'OpenStack-API-Maximum-Version': f'{microversion.NAME} {microversion.NEWEST}',
                    microversion.HEADER: f'{microversion.NAME} {version}',
                    'Vary': microversion.HEADER,
                }
            )


class Drain:
    """Reads bodies to their end, after the answer, within bounds of bytes and time.

    An answer often comes before its request was read: 401, 404, 413, 415. A server that speaks
    keep-alive would find the rest where it expects the next request, so it closes the connection,
    and the next request of the client is lost.
    """

    def __init__(self, application: WSGIApplication):
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
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
