"""Doors before services: they go silent as a dead switch does, or are shut."""

import contextlib
import select
import socket
import socketserver
import threading


class Door(socketserver.ThreadingTCPServer):
    """A TCP proxy.

    :ivar is_silent: connections stay, and carry nothing any more.
    :ivar is_losing: what is sent arrives, and the connection ends before the answer.
    :ivar is_open: otherwise connections end, and new ones at once.
    """

    daemon_threads = True
    is_silent = False
    is_losing = False
    is_open = True

    def __init__(self, host, port):
        super().__init__(('127.0.0.1', 0), _Passage)
        self.target = host, port
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.is_open = False
        self.shutdown()
        self.server_close()


class _Passage(socketserver.BaseRequestHandler):
    """One connection through a door."""

    def handle(self):
        """Carry bytes both ways, each lot as long as the door is not silent."""
        if not self.server.is_open:
            return
        with socket.create_connection(self.server.target) as inside, \
                contextlib.suppress(OSError):
            ends = {self.request: inside, inside: self.request}
            while self.server.is_open:
                for ready in select.select(list(ends), [], [], 0.1)[0]:
                    data = ready.recv(65536)
                    if not data or self.server.is_losing and ready is inside:
                        return
                    if not self.server.is_silent:
                        ends[ready].sendall(data)
