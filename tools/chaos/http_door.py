"""A door before an HTTP service: it knows where a request and an answer begin and end."""

import http.client
import time
from http.server import BaseHTTPRequestHandler

from magnum_lite_dev.rig.doors import DELAY_S, Door, drip, reset

# As those of a door; double: a changing request is sent twice, and the first answer is given.
# refuse: 503, and the service hears nothing.
KINDS = ('cut', 'stall', 'freeze', 'lose', 'double', 'delay', 'drip', 'truncate', 'refuse')
CHANGING = {'POST', 'PUT', 'PATCH', 'DELETE'}
PATIENCE_S = 120
_OF_ONE_CONNECTION = {'connection', 'keep-alive', 'transfer-encoding', 'content-length'}


class HttpDoor(Door):
    """A door whose faults fall on whole requests and answers."""

    kinds = KINDS

    def __init__(self, host, port):
        super().__init__(host, port, _Exchange)


class _Exchange(BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        """Say nothing: the service behind has a log."""

    def _serve(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        fault = self.server.fault
        if fault == 'double' and self.command not in CHANGING:
            fault = None
        if fault:
            self.server.strike()
        if fault in ('cut', 'freeze'):
            return self._leave(fault)
        if fault == 'refuse':
            return self._answer(503, [], b'{"error": "the door refuses"}')
        if fault == 'delay':
            time.sleep(DELAY_S)
        self.server.wait_while('stall')
        try:
            status, headers, answer = self._ask(body)
            if fault == 'double':
                self._ask(body)
        except (OSError, http.client.HTTPException):
            return self._leave('cut')
        if fault == 'lose':
            return self._leave(fault)
        return self._answer(status, headers, answer, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _ask(self, body):
        """(status, headers, body) of the service's own answer."""
        inside = http.client.HTTPConnection(*self.server.target, timeout=PATIENCE_S)
        try:
            headers = {
                name: text
                for name, text in self.headers.items()
                if name.lower() not in _OF_ONE_CONNECTION
            }
            inside.request(self.command, self.path, body or None, headers)
            reply = inside.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            inside.close()

    def _leave(self, fault):
        """End the connection without an answer; after a freeze only when the caller does."""
        self.close_connection = True
        if fault == 'freeze':
            self.connection.settimeout(PATIENCE_S)
            self.rfile.read(1)
        else:
            reset(self.connection)

    def _answer(self, status, headers, body, fault=None):
        self.send_response_only(status)
        for name, text in headers:
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, text)
        if status not in (204, 304):
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command == 'HEAD':
            return
        if fault == 'truncate' and body:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.wfile.write(drip(self.server, body, self.wfile.write) if fault == 'drip' else body)
