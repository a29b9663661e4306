"""The WSGI application of the simulated cloud: services by the first path segment, and controls."""

import http
import json
import re
import time
from collections.abc import Iterable
from typing import Any

from magnum_lite_dev.sim_cloud import (
    compute,
    controls,
    identity,
    image,
    load_balancer,
    network,
    request,
    seed,
    volume,
)
from magnum_lite_dev.sim_cloud.nodes import Nodes
from magnum_lite_dev.sim_cloud.request import Reply
from magnum_lite_dev.sim_cloud.store import Store

SERVICES = {
    'compute': compute.handle,
    'network': network.handle,
    'image': image.handle,
    'volume': volume.handle,
    'load-balancer': load_balancer.handle,
    'identity': identity.handle,
}
ID = re.compile(r'[0-9a-f-]{32,}')
NOVA_ERRORS = {
    400: 'badRequest',
    403: 'forbidden',
    404: 'itemNotFound',
    409: 'conflictingRequest',
    413: 'overLimit',
}


class SimCloud:
    """A cloud that is a WSGI application; ``store`` is its state.

    :param build_seconds: from a server's boot to ACTIVE.
    :param delete_seconds: from a server's deletion to its absence.
    :param signal_seconds: from ACTIVE to the node's signal.
    :param external_cidr: where floating IPs come from. In a part of 127.0.0.0/8 the Kubernetes
        APIs of clusters answer.
    """

    def __init__(
        self,
        *,
        build_seconds=0.0,
        delete_seconds=0.0,
        signal_seconds=0.05,
        external_cidr=seed.EXTERNAL_CIDR,
    ) -> None:
        self.store = Store(external_cidr)
        self.build_seconds = build_seconds
        self.delete_seconds = delete_seconds
        self.nodes = Nodes(self.store, signal_seconds)
        self.counts = {}

    def __call__(self, environ, start_response) -> Iterable[bytes]:
        method, path = environ['REQUEST_METHOD'], environ['PATH_INFO']
        headers = {}
        try:
            service, asked = request.from_environ(environ)
            if service == 'sim':
                controls.hurt(self, asked)
            else:
                self._misbehave(method, path)
            # Rows are shared: nobody may change one while it is being written out.
            with self.store.lock:
                if service == 'sim':
                    status, reply = controls.handle(self, asked)
                else:
                    status, reply, *more = self._answer(service, asked)
                    headers = more[0] if more else {}
                    reply = _public(reply)
                data = b'' if reply is None else json.dumps(reply).encode()
        except request.Refusal as refusal:
            status = refusal.status
            data = json.dumps(_error(path, status, refusal.message)).encode()
        # Clients read Nova's version from its headers, and the others ignore them.
        headers = {
            'Content-Type': 'application/json',
            'Content-Length': str(len(data)),
            'X-OpenStack-Request-ID': f'req-{request.new_id()}',
            'OpenStack-API-Version': f'compute {compute.VERSION}',
            'X-OpenStack-Nova-API-Version': compute.VERSION,
            **headers,
        }
        start_response(f'{status} {_phrase(status)}', list(headers.items()))
        return [data]

    def _misbehave(self, method, path) -> None:
        with self.store.lock:
            subject = f'{method} {path}'
            slow = self.store.faults.take(subject, 'http_slow')
            fault = self.store.faults.take(subject, 'http')
        if slow:
            time.sleep(slow['seconds'])
        if fault:
            raise request.Refusal(fault.get('status', 500), fault.get('message', 'injected fault'))

    def _answer(self, service, asked) -> Reply:
        if service not in SERVICES:
            raise request.Refusal(404, f'no such simulated service: {service!r}')
        key = f'{asked.method} /{service}/{ID.sub("*", "/".join(asked.path))}'
        self.counts[key] = self.counts.get(key, 0) + 1
        if asked.method != 'GET':
            self.store.changes += 1
        return SERVICES[service](self, asked)


def _public(reply) -> Any:
    """The reply without the keys that are the simulation's own."""
    if isinstance(reply, dict):
        return {key: _public(value) for key, value in reply.items() if not key.startswith('_')}
    if isinstance(reply, list):
        return [_public(value) for value in reply]
    return reply


def _phrase(status) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return 'Injected'


def _error(path, status, message) -> dict[str, Any]:
    """The error body in the dialect of the service that was asked."""
    if path.startswith('/network'):
        kind = {404: 'NotFound', 409: 'Conflict'}.get(status, 'Error')
        return {'NeutronError': {'type': kind, 'message': message, 'detail': ''}}
    if path.startswith('/load-balancer'):
        return {'faultstring': message, 'faultcode': 'Client', 'debuginfo': None}
    if path.startswith('/identity'):
        return {'error': {'code': status, 'message': message, 'title': _phrase(status)}}
    return {NOVA_ERRORS.get(status, 'computeFault'): {'code': status, 'message': message}}
