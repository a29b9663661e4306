"""Sending what the outbox holds; apart, since the broker may hang and heartbeats may not."""

import logging
import threading

import oslo_messaging
from oslo_config import cfg

from magnum_lite.db import outbox
from magnum_lite.db.engine import AWAY, Database

LOG = logging.getLogger(__name__)
BATCH = 100     # notifications of one transaction


class Sender:
    """The loop of one worker."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database):
        self._conf = conf
        self._database = database
        self._stopping = threading.Event()
        self._notifier: oslo_messaging.Notifier | None = None

    def run(self) -> None:
        """Send until stopped; the database may be away for a while."""
        while not self._stopping.is_set():
            try:
                self._send()
            except AWAY as error:
                LOG.warning('Notifications wait for the database: %s', error)
            self._stopping.wait(self._conf.conductor.heartbeat_s)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()

    def _send(self) -> None:
        """Send what the outbox holds; a notification is sent again rather than lost."""
        while not self._stopping.is_set():
            with self._database.read() as connection:
                rows = outbox.unsent(connection, limit=BATCH)
            if not rows:
                return
            for row in rows:
                notify = self._notify().error if row.event_type.endswith('.error') else \
                    self._notify().info
                notify({}, row.event_type, row.payload)
            self._database.write(outbox.sent, [row.id for row in rows])

    def _notify(self) -> oslo_messaging.Notifier:
        if self._notifier is None:
            transport = oslo_messaging.get_notification_transport(self._conf)
            self._notifier = oslo_messaging.Notifier(
                transport, publisher_id=f'magnum_lite.{self._conf.host}',
                topics=self._conf.oslo_messaging_notifications.topics, retry=0)
        return self._notifier
