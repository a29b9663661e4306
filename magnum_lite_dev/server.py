"""A threaded HTTP server on the loopback address for one WSGI application."""

import threading

import waitress
from waitress import wasyncore

LOOPBACK = '127.0.0.1'
# Heat alone may hold a connection per resource in progress.
CONNECTIONS = 1000


class Server:
    """Serves from its construction on; ``port`` is the one it listens to.

    :param port: 0 takes a free one.
    :param host: another address than loopback's.
    :raises OSError: the port is taken.
    """

    def __init__(self, app, port, *, name, threads=16, host=LOOPBACK) -> None:
        # Each server has a socket map of its own, or all would share one loop.
        self._sockets = {}
        self._server = waitress.create_server(
            app,
            map=self._sockets,
            host=host,
            port=port,
            threads=threads,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,
            channel_timeout=600,
        )
        self.port = int(self._server.effective_port)
        self.url = f'http://{host}:{self.port}'
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        try:
            self._server.run()
        except OSError:
            # The loop polls sockets which close() has just closed under it.
            if self._sockets:
                raise

    def close(self) -> None:
        """Stop listening at once; the thread ends within a second."""
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)
