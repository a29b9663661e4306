"""Hears the notifications of the service, at the broker itself."""

import contextlib
import time
from typing import NamedTuple

import oslo_messaging
from oslo_config import cfg


class Heard(NamedTuple):
    """A notification that came.

    :ivar id: of the outbox.
    :ivar at_s: when, monotonic.
    """

    id: str
    at_s: float


class Ear:
    """An endpoint of oslo.messaging.

    :ivar heard: ``Heard``, in the order in which the broker gave them.
    """

    def __init__(self):
        self.heard = []

    def info(self, context, publisher, event_type, payload, metadata):
        """Keep one."""
        self.heard.append(Heard(payload['id'], time.monotonic()))

    error = info


@contextlib.contextmanager
def listening(transport_url):
    """An ear that hears until the end.

    :param transport_url: of the broker; no door stands before it.
    """
    ear = Ear()
    transport = oslo_messaging.get_notification_transport(cfg.ConfigOpts(), url=transport_url)
    listener = oslo_messaging.get_notification_listener(
        transport, [oslo_messaging.Target(topic='notifications')], [ear], executor='threading'
    )
    listener.start()
    try:
        yield ear
    finally:
        listener.stop()
        listener.wait()
        transport.cleanup()
