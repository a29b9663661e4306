"""The WSGI application: middleware in order, and from a request to its endpoint and back."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pecan
import webob
import webob.exc
from oslo_config import cfg
from oslo_middleware import healthcheck

from magnum_lite import delegation
from magnum_lite.api import (
    controllers,  # noqa: F401 - registers the endpoints
    faults,
    microversion,
    middleware,
    missing,
    schema,
)
from magnum_lite.api.endpoint import ENDPOINTS, Endpoint, Request, find
from magnum_lite.api.microversion import HEADER, Version
from magnum_lite.api.places import Places
from magnum_lite.api.service import Service
from magnum_lite.cloud.lookups import Memory
from magnum_lite.context import PEER, Policy, RequestContext
from magnum_lite.db.engine import Database
from magnum_lite.exceptions import (
    BadRequest,
    MediaNotAcceptable,
    NoRoute,
    NotAcceptable,
    NotUtf8,
    TooLarge,
    UnsupportedMedia,
    VersionUnsupported,
)
from magnum_lite.rpc import Asker, Waker
from magnum_lite.secrets.vault import Vault

JSON = 'application/json'
PATCH_JSON = 'application/json-patch+json'
_DISCOVERY = ('/', '/v1', '/v1/')
# What needs no token; each path may come without the version.
_PUBLIC = {
    '',
    *_DISCOVERY,
    *(path for known in ENDPOINTS if not known.rule for path in (known.path, known.place)),
}
_PIECE = 65_536  # bytes
_NUMBER = re.compile(r'(\d{1,4})\.(\d{1,4})\Z', re.ASCII)


class Application:
    """The WSGI callable.

    :ivar service: its parts; nothing of it is connected before the first request.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        database, vault = Database(conf, patient=False), Vault(conf)
        self.service = Service(
            conf,
            database,
            Waker(conf),
            Asker(conf),
            vault,
            Memory(conf.cloud.lookup_cache_s),
            delegation.of(conf, database, vault),
            Places(conf.enrolment.at_once, 'the place where nodes enrol'),
        )
        app = middleware.SizeLimit(
            pecan.Pecan(
                Root(self.service),
                hooks=[faults.Faults(), middleware.VersionHeaders()],
                guess_content_type_from_ext=False,
                use_context_locals=False,
            ),
            conf,
        )
        # The health check stands alone, since load balancers have no token.
        self._health = healthcheck.Healthcheck(None, conf)
        self._public = middleware.public(app, conf)
        self._protected = middleware.protected(app, conf)
        self._outer = middleware.outer(self._inner, conf)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request; discovery needs no token."""
        environ[PEER] = environ.get('REMOTE_ADDR', '')
        return self._outer(environ, start_response)

    def _inner(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ['PATH_INFO']
        app = self._protected
        if path == '/healthcheck':
            app = self._health
        elif path in _PUBLIC or environ['REQUEST_METHOD'] == 'OPTIONS':
            app = self._public
        return app(environ, start_response)

    def close(self) -> None:
        """Give up connections and threads."""
        self.service.waker.stop()
        self.service.asker.stop()
        self.service.db.dispose()


def make_app(conf: cfg.ConfigOpts) -> Application:
    """The WSGI application of a configuration.

    :raises ValueError: the development identity is to listen on more than loopback.
    """
    return Application(conf)


class Root:
    """Pecan's root controller: all routing is by the table of endpoints."""

    def __init__(self, service: Service):
        self._service = service
        self._policy = Policy(service.conf)

    @pecan.expose()  # type: ignore[untyped-decorator]
    def _route(self, args: list[str], request: webob.Request) -> tuple[Any, list[str]]:
        request.pecan['content_type'] = JSON  # negotiated below, by rules of our own
        segments, path = _segments(request.path_info)
        if path == '/':
            version = microversion.RANGE[0]
        else:
            version = _version(request)
        found = find(request.method, segments)
        if found is None:
            raise missing.refusal(request.method, segments)
        endpoint, values = found
        endpoint.check_version(version)
        if not _accepts_json(request.headers.get('Accept', '')):
            raise MediaNotAcceptable
        public = self._service.conf.api.public_endpoint
        request.context['call'] = (
            values,
            Request(
                service=self._service,
                endpoint=endpoint,
                version=version,
                context=RequestContext.of(request.environ, self._policy),
                body=_body(request, endpoint),
                query=schema.query(
                    request.environ.get('QUERY_STRING', ''), endpoint.query, version
                ),
                base=(public or request.application_url).rstrip('/'),
            ),
        )
        # Pecan would read both as arguments of the controller.
        request.body, request.environ['QUERY_STRING'] = b'', ''
        return self.serve, []

    @pecan.expose(content_type=JSON)  # type: ignore[untyped-decorator]
    def serve(self, request: webob.Request, response: webob.Response) -> webob.Response:
        """Call the endpoint's handler and answer what it returns."""
        values, call = request.context['call']
        call.admit()
        document = call.endpoint.handler(call, **values)
        if document is None:
            return webob.Response(status=204, content_type=None)
        answer = webob.Response(
            status=call.endpoint.status,
            content_type=JSON,
            charset='UTF-8',
            body=json.dumps(document).encode(),
        )
        answer.headers.update(call.headers)
        return answer


def _version(request: webob.Request) -> Version:
    """The microversion that the request asks for.

    :raises NotAcceptable: the header cannot be understood.
    :raises VersionUnsupported: the version is out of range.
    """
    oldest, newest = microversion.RANGE
    header = request.headers.get(HEADER, '')
    # It may name several services; of what is ours the last counts.
    parts = [' '.join(part.split()) for part in header.split(',')]
    ours = [part for part in parts if part.partition(' ')[0] in microversion.ALIASES]
    service, _, word = (ours or [', '.join(parts)])[-1].partition(' ')
    found = _NUMBER.match(word)
    if HEADER not in request.headers:
        version = oldest
    elif word.lower() == 'latest':  # upstream does not look at the service then
        version = newest
    elif service in microversion.ALIASES and found:
        version = int(found[1]), int(found[2])
    else:
        raise NotAcceptable(
            reason=f'Invalid header {HEADER}: '
            f'"{microversion.ALIASES[0]} major.minor" or latest is expected'
        )
    request.context['version'] = '.'.join(map(str, version))
    if not oldest <= version <= newest:
        raise VersionUnsupported(
            version=request.context['version'],
            oldest=microversion.OLDEST,
            newest=microversion.NEWEST,
        )
    return version


def _segments(path: str) -> tuple[list[str], str]:
    """The parts of a path below the version, and the path without its last slash.

    :raises NoRoute: more than one version, or something empty.
    """
    path = path.removesuffix('/') or '/'
    segments = path.split('/')[1:]
    if path in _DISCOVERY:
        return segments, path
    if segments[0] == 'v1':
        del segments[0]
    if segments[0] == 'v1' or not all(segments) or '\0' in path:
        raise NoRoute(path=path[:255])
    return segments, path


def _accepts_json(header: str) -> bool:
    """Whether an Accept header lets JSON through: the most specific range decides."""
    ranks = {'*/*': 0, 'application/*': 1, JSON: 2}
    best, accepted = -1, not header.strip()
    for part in header.split(','):
        media, *parameters = (word.strip().lower() for word in part.split(';'))
        if ranks.get(media, -1) >= best and media in ranks:
            best = ranks[media]
            accepted = not any(
                word.replace(' ', '').startswith('q=') and not word.partition('=')[2].strip(' 0.')
                for word in parameters
            )
    return accepted


def _body(request: webob.Request, endpoint: Endpoint) -> Any:
    """The decoded body; None for endpoints that take none, {} where it may be left out and is.

    :raises UnsupportedMedia: it is not sent as JSON.
    :raises BadRequest: it is none.
    """
    chunked = 'chunked' in request.headers.get('Transfer-Encoding', '').lower()
    has_body = request.method != 'GET' and bool(request.content_length or chunked)
    accepted = (JSON, PATCH_JSON) if request.method == 'PATCH' else (JSON,)
    if has_body and request.content_type.lower() not in accepted:
        raise UnsupportedMedia(given=request.content_type[:255] or 'without a type')
    if endpoint.takes is None:
        return None
    raw = _read(request) if has_body else b''
    if not raw and not endpoint.needs_body:
        return {}
    if not raw:
        raise BadRequest(reason='A JSON body is expected')
    try:
        return json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise NotUtf8(part='body') from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(reason='The body is not JSON') from error


def _read(request: webob.Request) -> bytes:
    """The body, in pieces: whoever limits a chunked one looks after each.

    :raises TooLarge: it was limited.
    """
    try:
        return b''.join(iter(lambda: request.body_file.read(_PIECE), b''))
    except webob.exc.HTTPRequestEntityTooLarge as error:
        limited: Any = request.body_file
        raise TooLarge(limit=limited.limit) from error
