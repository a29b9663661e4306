"""A worker: its threads, from start to stop."""

import logging
import os
import threading

from oslo_config import cfg
from oslo_utils import uuidutils

from magnum_lite import rpc
from magnum_lite.conductor.beat import Beat
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.listener import listener
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.sender import Sender
from magnum_lite.conductor.strays import Strays
from magnum_lite.conductor.sweep import Sweep
from magnum_lite.db import claims
from magnum_lite.db.engine import Database

LOG = logging.getLogger(__name__)


class Worker:
    """Claims operations and takes their steps until stopped. Any number share a database.

    Nothing is connected before ``start``, so a Worker may be made before a process forks.

    :param registry: the drivers; None loads the installed ones.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, registry: Registry | None = None):
        self._conf = conf
        self._registry = registry
        self._database = Database(conf)
        self._stopping = threading.Event()

    def start(self) -> None:
        """Load the drivers, start the threads, return.

        :raises BadDriver: a driver package cannot be used.
        """
        registry = self._registry or Registry()
        self.owner = f'{self._conf.host}/{os.getpid()}/{uuidutils.generate_uuid()[:8]}'
        manager = Manager(self._conf, self._database, registry, owner=self.owner)
        for name in registry.publish(self._database):
            LOG.info('Driver %s is new here', name)
        self._sweep = Sweep(self._conf, self._database, manager)
        self._beat = Beat(self._conf, self._database, registry, owner=self.owner)
        self._strays = Strays(self._conf, self._database, manager.lending)
        self._sender = Sender(self._conf, self._database)
        self._compare = Compare(self._conf, self._database, manager.clients)
        self._beat.beat()       # before the first claim, and before anyone asks who lives
        self._servers = [rpc.server(self._conf, self._sweep.wake)]
        if self._conf.conductor.listen:
            self._servers.append(listener(self._conf, self._sweep.hurry))
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in (
            ('sweep', self._sweep.run), ('beat', self._beat.run), ('strays', self._strays.run),
            ('sender', self._sender.run), ('compare', self._compare.run),
            ('servers', self._serve))]
        for thread in self._threads:
            thread.start()
        LOG.info('Worker %s has drivers %s', self.owner, ', '.join(registry.names()))

    def stop(self) -> None:
        """Finish the steps under way, give up all operations, end all threads."""
        self._stopping.set()
        self._sweep.stop()
        self._beat.stop()
        self._strays.stop()
        self._sender.stop()
        self._compare.stop()
        for thread in self._threads:
            thread.join(10)
        self._database.write(claims.release_all, owner=self.owner)
        self._database.dispose()

    def _serve(self) -> None:
        """Run the servers in a thread of their own: while the broker is down they block."""
        for server in self._servers:
            server.start()
        self._stopping.wait()
        for server in self._servers:
            server.stop()
            server.wait()
