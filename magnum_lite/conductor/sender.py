"""Sending what the outbox holds; apart, since the broker may hang and heartbeats may not."""

import logging
import os
import threading
import time

from oslo_config import cfg
from oslo_utils import uuidutils

from magnum_lite.conductor.notifier import Notifier
from magnum_lite.conductor.patience import Patience
from magnum_lite.db import outbox, purge
from magnum_lite.db.engine import AWAY, Database, Row

LOG = logging.getLogger(__name__)
BATCH = 100  # notifications that are read, and marked, at a time
MOST_PAUSE_S = 60  # between tries while the broker is away
PURGE_S = 600  # between looks for notifications that are to be dropped
PURGES = 20  # transactions of one look: what is left waits for the next


class Sender:
    """The loop of one worker; of all workers, one sends at a time."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database):
        self._conf = conf
        self._database = database
        self._owner = f'{conf.host}/{os.getpid()}/{uuidutils.generate_uuid()[:8]}'
        self._stopping = threading.Event()
        self._notifier = Notifier(conf)
        self._patience = Patience()
        self._failures = 0  # since the broker took the last one
        self._purge_at = 0.0
        self._gone: set[int] = set()  # sent, and not marked yet
        self._held_until = 0.0  # by this process's clock, with time left for one more

    def run(self) -> None:
        """Send until stopped; the database may be away for a while."""
        while not self._stopping.is_set():
            try:
                self._send()
                self._purge()
            except AWAY as error:
                LOG.warning('Notifications wait for the database: %s', error)
            self._stopping.wait(self._pause())
        self._notifier.close()

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()

    def _send(self) -> None:
        """Send what the outbox holds, unless another worker does."""
        with self._database.read() as connection:
            waiting = outbox.unsent(connection, limit=1)
        if not waiting or not self._hold():
            return
        self._pass()
        if self._patience.again():
            self._pass()
        self._database.write(outbox.release, self._gone, owner=self._owner)
        self._gone.clear()

    def _purge(self) -> None:
        """Now and then drop what was sent long ago; workers may do so at the same time."""
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + PURGE_S
        for _ in range(PURGES):
            dropped = self._database.write(purge.sent, days=self._conf.conductor.outbox_keep_days)
            if dropped < purge.BATCH or self._stopping.is_set():
                return

    def _pass(self) -> None:
        """Send in the order of the changes, as long as this worker may."""
        after = 0
        self._patience.start_pass()
        while not self._stopping.is_set():
            with self._database.read() as connection:
                rows = outbox.unsent(connection, limit=BATCH, after=after)
            for row in rows:
                if self._stopping.is_set() or time.monotonic() > self._held_until:
                    break
                if not self._send_one(row):
                    return
                after = row.id
            else:
                if len(rows) < BATCH:
                    return
            if not self._hold():
                return

    def _hold(self) -> bool:
        """Mark what was sent; whether this worker may send more.

        A third of the lease is for sending, the rest for the last one, which a broker that is
        silent makes long. Who was stopped meanwhile sends that one twice, and no other.
        """
        lease_s = self._conf.conductor.lease_s
        until = time.monotonic() + lease_s / 3
        held = bool(
            self._database.write(outbox.hold, self._gone, owner=self._owner, lease_s=lease_s)
        )
        self._gone.clear()
        self._held_until = until if held else 0.0
        return held

    def _send_one(self, row: Row) -> bool:
        """Whether to go on; one line in the log tells when the broker goes and comes."""
        cluster = row.payload['target']['id']
        if row.id in self._gone or not self._patience.may_go(row.id, cluster):
            return True
        error = self._notifier.send(row.event_type, row.payload)
        if error:
            self._failures += 1
            if self._failures == 1:
                LOG.warning('Notifications wait for the broker: %s', error)
            return self._patience.failed(row.id, cluster)
        if self._failures:
            LOG.info('The broker takes notifications again')
        self._failures = 0
        self._patience.went(row.id)
        self._gone.add(row.id)
        return True

    def _pause(self) -> float:
        """Seconds until the next try: little first, since a connection may just have been old."""
        if not self._failures:
            return float(self._conf.conductor.heartbeat_s)
        return float(min(2 ** min(self._failures - 1, 9), MOST_PAUSE_S))
