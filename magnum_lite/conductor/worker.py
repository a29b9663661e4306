"""A worker: its threads, from start to stop."""

import logging
import os
from collections.abc import Iterable
from functools import partial
from typing import Any

from oslo_config import cfg
from oslo_utils import uuidutils

from magnum_lite import rpc, threads
from magnum_lite.conductor.beat import Beat
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.health import Health
from magnum_lite.conductor.judge import Judge
from magnum_lite.conductor.listeners import Listeners
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.sender import Sender
from magnum_lite.conductor.strays import Strays
from magnum_lite.conductor.sweep import Sweep, patience_s
from magnum_lite.db import claims
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.driver_sdk.backend import Backend

LOG = logging.getLogger(__name__)
VITAL = ('sweep', 'beat')  # a worker without them holds operations and does nothing
JOIN_S = 10


class Worker:
    """Claims operations and takes their steps until stopped. Any number share a database.

    Nothing is connected before ``start``, so a Worker may be made before a process forks.

    :param registry: the drivers; None loads the installed ones.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, registry: Registry | None = None):
        self._conf = conf
        self._registry = registry
        self._database = Database(conf)
        self._parts: dict[str, Any] = {}

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
        beat = Beat(self._conf, self._database, registry, owner=self.owner)
        beat.beat()  # before the first claim, and before anyone asks who lives
        self._parts = {
            'sweep': self._sweep,
            'beat': beat,
            'strays': Strays(self._conf, manager.delegations),
            'sender': Sender(self._conf, self._database),
            'compare': Compare(self._conf, self._database, registry, manager.backends),
            'health': Health(self._conf, self._database, registry, manager.backends),
            **self._listeners(manager.backends, Judge(self._conf, self._database, registry)),
        }
        self._loops = [
            threads.Loop(name, part.run, vital_s=patience_s(self._conf) if name in VITAL else None)
            for name, part in self._parts.items()
        ]
        for loop in self._loops:
            loop.start()
        LOG.info('Worker %s has drivers %s', self.owner, ', '.join(registry.names()))

    def stop(self) -> None:
        """Give up all operations and end all threads, within one call to the cloud.

        A step that is inside such a call is left after it, and the next owner takes it again.
        A worker that is still waiting for the database has nothing to give up.
        """
        if not self._parts:
            return
        self._sweep.shut()
        self._give_up(in_step=False)  # others go on with these at once
        for part in self._parts.values():  # the sweep first: it waits for the steps
            part.stop()
        self._give_up(in_step=True)  # no step is under way; whoever hangs below, others go on
        for loop in self._loops:
            if not loop.end(JOIN_S):
                LOG.warning('The loop "%s" goes on until the process ends', loop.name)
        self._database.dispose()

    def _listeners(self, backends: Iterable[Backend], judge: Judge) -> dict[str, Listeners]:
        """A loop for the API, and one for each backend: none of them stops the others."""
        serve = partial(rpc.server, self._conf, self._sweep.wake, judge.validate)
        # Made now, so that a wrong URL of the broker is refused at the start.
        found = {'listeners': Listeners(lambda: [serve()], [serve()])}
        for number, backend in enumerate(backends, start=1):
            found[f'listeners {number}, of {backend.title}'] = Listeners(
                partial(backend.listeners, self._sweep.hurry)
            )
        return found

    def _give_up(self, *, in_step: bool) -> None:
        try:
            self._database.write(claims.release_all, owner=self.owner, in_step=in_step)
        except AWAY as error:
            LOG.warning('Other workers go on when the lease is over: %s', error)
