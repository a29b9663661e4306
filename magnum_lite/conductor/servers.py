"""What the broker tells a worker: wakes of the API, and Heat's notifications."""

import threading
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from magnum_lite import rpc
from magnum_lite.conductor.listener import listener


class Servers:
    """The loop in which a worker's servers run: while the broker is down, their start blocks.

    :param wake: called with the uuid of an operation.
    :param hurry: called with the uuid of a cluster.
    """

    def __init__(
        self, conf: cfg.ConfigOpts, wake: Callable[[str], None], hurry: Callable[[str], None]
    ):
        self._conf, self._wake, self._hurry = conf, wake, hurry
        self._stopping = threading.Event()
        self._made = self._make()  # a wrong URL of the broker is refused at the start

    def run(self) -> None:
        """Serve until stopped."""
        servers, self._made = self._made or self._make(), []
        started = []
        try:
            for server in servers:
                server.start()
                started.append(server)
            self._stopping.wait()
        finally:
            for server in started:
                server.stop()
                server.wait()

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()

    def _make(self) -> list[Any]:
        servers: list[Any] = [rpc.server(self._conf, self._wake)]
        if self._conf.conductor.listen:
            servers.append(listener(self._conf, self._hurry))
        return servers
