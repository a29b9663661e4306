"""What the API says to conductors: ``wake(operation uuid)``, a hint whose loss costs a sweep, and
the question ``validate(wanted)``: what a driver says of a request, before it is accepted.

Only conductors have drivers. Their silence lets the request in: then the operation fails. The
question is JSON; no secret stands open in it, and nobody's rights:

``kind``, ``project_id``, ``user_id``, ``request_id``
   as those of the operation; the project is the caller's
``cluster``
   its uuid and what changes; all attributes of a new one
``groups``
   ``{uuid: what changes, or all attributes of a new one}``
``focus``
   uuid of the one group that is to change; None for all
``template``
   the attributes of one that is not in the database; else None
``sealed``
   ``{attribute of the template: sealed text}`` of its proxies, which may have passwords; left out
   where there are none. A conductor of release 1.1 judges without them

Nothing is connected before first use, so both ends may be made before a process forks.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import oslo_messaging
from kombu.exceptions import OperationalError
from oslo_config import cfg
from oslo_context import context

from magnum_lite import threads

LOG = logging.getLogger(__name__)
TOPIC = 'magnum_lite.conductor'
# 1.0: wake
# 1.1: validate; a conductor of release 1.0 answers that it does not know it
VERSION = '1.1'
_WAKE = '1.0'  # the oldest that has it: either release hears it
# Wakes that may wait for a broker that is down; the sweep finds what is dropped.
BACKLOG = 1000
THREADS = 8  # of a conductor, most of which may wait for drivers
ASKING = 8  # calls of an API process at a time
PAUSE_S = 10  # without any answer: nobody is asked for so long
# Raised while the broker is away; kombu's where it was so before the first connection.
_AWAY = (oslo_messaging.MessagingException, OperationalError, OSError)
_SHARE = 0.75  # of the time, within which the conductor answers that the driver has not

Validate = Callable[[dict[str, Any], float], dict[str, str] | None]


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
                transport, oslo_messaging.Target(topic=TOPIC, version=_WAKE), retry=0
            )
        while (uuid := self._queue.get()) is not None:
            try:
                self._client.cast({}, 'wake', uuid=uuid)
            except _AWAY as error:
                LOG.warning(
                    'The wake of operation %s was not sent, the sweep will find it: %s', uuid, error
                )

    def stop(self) -> None:
        """End the thread."""
        if self._loop is not None:
            with contextlib.suppress(queue.Full):  # the process ends before it is empty
                self._queue.put_nowait(None)
            self._loop.end(5)


class Asker:
    """Asks a conductor about a request, for a while: a broker that is away would keep it for ever.

    While no conductor answers at all, nobody is asked for PAUSE_S.
    """

    def __init__(self, conf: cfg.ConfigOpts):
        self._conf = conf
        self._crew = threads.Crew('asker', ASKING)
        self._lock = threading.Lock()
        self._client: oslo_messaging.RPCClient | None = None
        self._heard = self._paused_until = float('-inf')

    def ask(
        self,
        caller: context.RequestContext,
        kind: str,
        cluster: Mapping[str, Any],
        groups: Mapping[str, Mapping[str, Any]],
        *,
        left_s: float,
        focus: str | None = None,
        template: Mapping[str, Any] | None = None,
        sealed: Mapping[str, str] | None = None,
    ) -> dict[str, str] | None:
        """As ``validate``, for the caller of a request.

        :param left_s: seconds that the request may take for all that it asks others.
        """
        return self.validate(
            {
                'kind': kind,
                'project_id': caller.project_id,
                'user_id': caller.user_id,
                'request_id': caller.request_id,
                'cluster': dict(cluster),
                'groups': dict(groups),
                'focus': focus,
                **({'sealed': dict(sealed)} if sealed else {}),
                'template': template,
            },
            min(self._conf.api.validate_s, left_s),
        )

    def validate(self, wanted: dict[str, Any], within_s: float) -> dict[str, str] | None:
        """What the driver refuses, as ``path`` and ``reason``; None if nothing, or if nobody says.

        :param wanted: the question.
        """
        if within_s <= 0 or time.monotonic() < self._paused_until:
            return None
        why: object = 'no answer in time'
        try:
            refusal, why = self._crew.ask(
                wanted['project_id'] or '', within_s, self._call, wanted, within_s
            ) or (None, 'the question failed')
        except TimeoutError:  # the broker is away, or others are before it
            refusal = None
        if why:
            LOG.warning('No conductor has validated the request, which is let in: %s', why)
            if time.monotonic() - self._heard > PAUSE_S:
                self._paused_until = time.monotonic() + PAUSE_S
        return refusal

    def _call(
        self, wanted: dict[str, Any], within_s: float
    ) -> tuple[dict[str, str] | None, object]:
        """The refusal, and why there is no answer."""
        with self._lock:
            if self._client is None:
                transport = oslo_messaging.get_rpc_transport(self._conf)
                self._client = oslo_messaging.get_rpc_client(
                    transport, oslo_messaging.Target(topic=TOPIC, version=VERSION), retry=0
                )
        try:
            answer = (
                self._client.prepare(timeout=within_s).call(
                    {}, 'validate', wanted=wanted, within_s=within_s * _SHARE
                ),
                None,
            )
        except (oslo_messaging.RemoteError, oslo_messaging.RPCDispatcherError) as error:
            answer = None, error  # one of release 1.0 says that it does not know this
        except _AWAY as error:
            return None, error
        self._heard = time.monotonic()
        return answer

    def stop(self) -> None:
        """Give up the connections, if that does not take long."""
        if self._client is not None:
            with contextlib.suppress(TimeoutError):
                self._crew.ask('', 5, self._client.transport.cleanup)


class _Endpoint:
    target = oslo_messaging.Target(version=VERSION)

    def __init__(self, wake: Callable[[str], None], validate: Validate):
        self._wake = wake
        self._validate = validate

    def wake(self, context: dict[str, Any], uuid: str) -> None:
        self._wake(uuid)

    def validate(
        self, context: dict[str, Any], wanted: dict[str, Any], within_s: float
    ) -> dict[str, str] | None:
        return self._validate(wanted, within_s)


def server(
    conf: cfg.ConfigOpts, wake: Callable[[str], None], validate: Validate
) -> oslo_messaging.MessageHandlingServer:
    """A server, not started, for ``wake(operation uuid)`` and ``validate(wanted, within_s)``."""
    transport = oslo_messaging.get_rpc_transport(conf)
    target = oslo_messaging.Target(topic=TOPIC, server=conf.host)
    made = oslo_messaging.get_rpc_server(transport, target, [_Endpoint(wake, validate)])
    # Of 64 threads, the default, most would never be used.
    conf.set_default('executor_thread_pool_size', THREADS)
    return made
