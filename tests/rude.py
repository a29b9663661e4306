"""A server that breaks the rules of HTTP, byte by byte."""

import contextlib
import json
import socket
import ssl
import struct
import threading


class Rude:
    """Answers each request by the next of some actions; the last one stays.

    :ivar requests: the first line of each request.
    """

    def __init__(self, *actions):
        self.actions = list(actions)
        self.requests = []
        self.stopping = threading.Event()
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.port = self._listener.getsockname()[1]

    def serve(self):
        """Accept until closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            action = self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]
            with client, contextlib.suppress(OSError):
                action(self, client)

    def close(self):
        """Stop; what drips ends too."""
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def rude(*actions):
    """A running ``Rude``."""
    server = Rude(*actions)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(30)


def _read(server, client):
    data = b''
    while b'\r\n\r\n' not in data:
        data += client.recv(65536)
    head, _, body = data.partition(b'\r\n\r\n')
    server.requests.append(head.split(b'\r\n')[0].decode())
    for line in head.lower().split(b'\r\n'):
        if line.startswith(b'content-length:'):
            while len(body) < int(line.split(b':')[1]):
                body += client.recv(65536)


def _head(status, body, length=None):
    return (
        f'HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n'
        f'Content-Length: {len(body) if length is None else length}\r\n\r\n'
    ).encode()


def says(status, document, length=None):
    """Answers a document, text or bytes; ``length`` is the content-length that it claims."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    def action(server, client):
        _read(server, client)
        client.sendall(_head(status, body, length) + body)

    return action


def drips(status, document, part):
    """Answers well, but a byte of ``headers`` or ``body`` comes each tenth of a second."""
    body = json.dumps(document).encode()

    def action(server, client):
        _read(server, client)
        head = _head(status, body)
        slow = head if part == 'headers' else body
        if part == 'body':
            client.sendall(head)
        for byte in slow:
            if server.stopping.wait(0.1):
                return
            client.sendall(bytes([byte]))
        if part == 'headers':
            client.sendall(body)

    return action


def secured(action, certificate):
    """The action behind TLS; ``certificate`` is a file with the key too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def secure(server, client):
        with context.wrap_socket(client, server_side=True) as wrapped:
            action(server, wrapped)

    return secure


def hangs_up(server, client):
    """Closes the connection at once: a TLS handshake that ends."""


def resets(server, client):
    """Resets the connection once the request is there."""
    _read(server, client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
