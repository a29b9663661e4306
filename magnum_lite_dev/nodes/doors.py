"""What nodes reach of this machine: named paths of named ports, at its address outside."""

import logging
import re
from collections.abc import Iterable

import requests

from magnum_lite_dev.server import LOOPBACK, Server

LOG = logging.getLogger(__name__)
TIMEOUT_S = 120
# What belongs to one connection and is not handed on.
OWN = ('connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding')
# Where a node signals a wait condition, and where it buys the token for that.
SIGNALS = r'/v1/[^/]+/stacks/.+/resources/[^/]+/signal'
TOKENS = r'/identity/v3/auth/tokens'


class Doors:
    """The doors of one cloud.

    :param edge: the :class:`~magnum_lite_dev.nodes.edge.Edge`, which has the address.
    """

    def __init__(self, edge) -> None:
        self._edge = edge
        self._open = {}
        self.ports = []

    def open(self, port, path) -> None:
        """Hand on what is asked of that port, where the whole path matches an expression.

        :raises OSError: the port is taken.
        """
        self._open.setdefault(port, set()).add(path)
        if port in self.ports:
            return
        Server(_Door(port, self._open[port]), port, name=f'door-{port}', host=self._edge.address)
        self._edge.allow(port)
        self.ports = sorted([*self.ports, port])


class _Door:
    def __init__(self, port, paths) -> None:
        self._url = f'http://{LOOPBACK}:{port}'
        self._paths = paths
        self._session = requests.Session()
        self._session.trust_env = False

    def __call__(self, environ, start_response) -> Iterable[bytes]:
        path = environ['PATH_INFO']
        if not any(re.fullmatch(allowed, path) for allowed in self._paths):
            return _answer(start_response, 404, {}, b'')
        query = environ.get('QUERY_STRING')
        headers = {
            name[5:].replace('_', '-').title(): value
            for name, value in environ.items()
            if name.startswith('HTTP_') and name[5:].replace('_', '-').lower() not in OWN
        }
        if environ.get('CONTENT_TYPE'):
            headers['Content-Type'] = environ['CONTENT_TYPE']
        length = int(environ.get('CONTENT_LENGTH') or 0)
        try:
            reply = self._session.request(
                environ['REQUEST_METHOD'],
                f'{self._url}{path}{"?" if query else ""}{query or ""}',
                data=environ['wsgi.input'].read(length),
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            LOG.info('%s %s: %s', environ['REQUEST_METHOD'], path, error)
            return _answer(start_response, 502, {}, b'')
        return _answer(start_response, reply.status_code, reply.headers, reply.content)


def _answer(start_response, status, headers, body) -> Iterable[bytes]:
    kept = [(name, value) for name, value in headers.items() if name.lower() not in SKIPPED]
    start_response(f'{status} -', [*kept, ('Content-Length', str(len(body)))])
    return [body]


# The body is handed on unpacked.
SKIPPED = (*OWN, 'content-encoding')
