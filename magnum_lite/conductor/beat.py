"""What a worker does by the clock: renew its leases, and report that it lives."""

import logging
import threading

from oslo_config import cfg

from magnum_lite import releases
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, services
from magnum_lite.db.engine import AWAY, Database

LOG = logging.getLogger(__name__)


class Beat:
    """The timer of one worker."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, registry: Registry, *, owner: str):
        self._conf = conf
        self._database = database
        self._plugins = {
            services.SERVICE: releases.CURRENT,
            **{plugin.name: plugin.version for plugin in registry},
        }
        self._owner = owner
        self._stopping = threading.Event()

    def run(self) -> None:
        """Beat until stopped; the database may be away for a while."""
        while not self._stopping.is_set():
            try:
                self.beat()
            except AWAY as error:
                LOG.warning('No heartbeat, the next one is tried: %s', error)
            self._stopping.wait(self._conf.conductor.heartbeat_s)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()

    def beat(self) -> None:
        """Renew the leases of all operations with one UPDATE, and report."""
        self._database.write(
            claims.heartbeat, owner=self._owner, lease_s=self._conf.conductor.lease_s
        )
        self._database.write(services.report, host=self._conf.host, plugins=self._plugins)
