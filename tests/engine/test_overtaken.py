"""An update whose answer is lost before Heat has begun it is looked for, and not sent again."""

import contextlib
import http.server
import re
import socket
import threading
import time

import pytest
import requests

SERVED_AFTER_S = 1
_WHOLE = re.compile('/stacks/[^/]+/[^/]+$')  # Heat sends who has an id alone there first


class _Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests on; one that is to be lost is served when its caller is gone."""

    def _pass(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        is_update = self.command == 'PUT' and bool(_WHOLE.search(self.path))
        self.server.updates += is_update
        if is_lost := is_update and self.server.losing.is_set():
            self.server.losing.clear()
            self.connection.shutdown(socket.SHUT_RDWR)
            time.sleep(SERVED_AFTER_S)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ('host', 'accept-encoding')
        }
        answer = requests.request(
            self.command,
            self.server.target + self.path,
            data=body,
            headers=headers,
            timeout=60,
            allow_redirects=False,
        )
        if is_lost:
            self.server.served.set()
            return
        self.send_response(answer.status_code)
        for name in ('Content-Type', 'Location'):
            if name in answer.headers:
                self.send_header(
                    name,
                    answer.headers[name].replace(
                        self.server.target, f'http://127.0.0.1:{self.server.server_port}'
                    ),
                )
        self.send_header('Content-Length', str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815 - http.server's names

    def log_message(self, *args):
        """Nothing."""

    def finish(self):
        """As the base, where the caller may be gone."""
        with contextlib.suppress(OSError):
            super().finish()


@pytest.fixture
def door(heat):
    """A proxy before Heat that counts ``updates``; ``losing`` lets it lose the next one, ``served``
    says that Heat has it nevertheless."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Handler)
    server.target, server.updates = heat.heat_url, 0
    server.losing, server.served = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture
def conf(door, heat, conf):
    """The service sees Heat through the door."""
    url = heat.catalog['orchestration'].replace(
        heat.heat_url, f'http://127.0.0.1:{door.server_port}'
    )
    conf.set_override('catalog', {**heat.catalog, 'orchestration': url}, group='development')
    return conf


def test_one_resize_whose_answer_is_lost_is_one_update_in_heat(door, tenant, finish):
    create = tenant.create()
    finish(create)
    door.losing.set()
    resize = tenant.resize(create.cluster_id, 2)
    finish(resize)
    assert (door.served.is_set(), door.updates) == (True, 1)
    group = tenant.groups(create.cluster_id)['default-worker'].uuid[:8]
    name = f'tiny-{create.cluster_id}-{group}'
    events = tenant.heat._client.events.list(name)
    begun = [
        event
        for event in events
        if event.resource_name == name and event.resource_status == 'UPDATE_IN_PROGRESS'
    ]
    assert len(begun) == 1
    assert tenant.stacks()[name] == 'UPDATE_COMPLETE'
    assert len(tenant.heat.get(name).outputs['node_addresses']) == 2
