"""The one message that the API casts: ``wake(operation uuid)``. A hint: losing it costs a sweep.

Nothing is connected before first use, so both ends may be made before a process forks.
"""

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_config import cfg

from magnum_lite import threads

LOG = logging.getLogger(__name__)
TOPIC = 'magnum_lite.conductor'
VERSION = '1.0'
# Wakes that may wait for a broker that is down; the sweep finds what is dropped.
BACKLOG = 1000
THREADS = 4


class Waker:
    """Casts wakes from a thread of its own, so that no request waits for the broker."""

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._queue: queue.Queue[str | None] = queue.Queue(BACKLOG)
        self._lock = threading.Lock()
        self._loop: threads.Loop | None = None
        self._client: oslo_messaging.RPCClient | None = None

    def wake(self, uuid: str) -> None:
        """Tell some conductor to look at the operation now; returns at once, never raises."""
        with self._lock:
            if self._loop is None:
                loop = threads.Loop('waker', self._run)
                try:
                    loop.start()
                    self._loop = loop
                except RuntimeError as error:  # no thread is left now
                    LOG.warning('The sweep will find operation %s: %s', uuid, error)
        try:
            self._queue.put_nowait(uuid)
        except queue.Full:
            LOG.warning('The broker is slow: the sweep will find operation %s', uuid)

    def _run(self) -> None:
        if self._client is None:
            transport = oslo_messaging.get_rpc_transport(self._conf)
            # retry=0: with the default a cast blocks for ever while the broker is down.
            self._client = oslo_messaging.get_rpc_client(
                transport, oslo_messaging.Target(topic=TOPIC, version=VERSION), retry=0
            )
        while (uuid := self._queue.get()) is not None:
            try:
                self._client.cast({}, 'wake', uuid=uuid)
            except (oslo_messaging.MessagingException, OSError) as error:
                LOG.warning(
                    'The wake of operation %s was not sent, the sweep will find it: %s', uuid, error
                )

    def stop(self) -> None:
        """End the thread."""
        if self._loop is not None:
            with contextlib.suppress(queue.Full):  # the process ends before it is empty
                self._queue.put_nowait(None)
            self._loop.end(5)


class _Endpoint:
    target = oslo_messaging.Target(version=VERSION)

    def __init__(self, wake: Callable[[str], None]):
        self._wake = wake

    def wake(self, context: dict[str, Any], uuid: str) -> None:
        self._wake(uuid)


def server(
    conf: cfg.ConfigOpts, wake: Callable[[str], None]
) -> oslo_messaging.MessageHandlingServer:
    """A server, not started, that calls ``wake(operation uuid)`` for each message."""
    transport = oslo_messaging.get_rpc_transport(conf)
    target = oslo_messaging.Target(topic=TOPIC, server=conf.host)
    made = oslo_messaging.get_rpc_server(transport, target, [_Endpoint(wake)])
    # A message only marks what is to be looked at; 64 threads, the default, would never be used.
    conf.set_default('executor_thread_pool_size', THREADS)
    return made
