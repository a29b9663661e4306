"""Finding work: woken operations at once, the others by sweeps. Takes no step itself."""

import functools
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from oslo_config import cfg

from magnum_lite import threads
from magnum_lite.conductor import trace
from magnum_lite.conductor.manager import Manager
from magnum_lite.db import agenda, claims
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import CloudError
from magnum_lite.driver_sdk.backend import Backend, Look

LOG = logging.getLogger(__name__)
# Of suspects a worker takes one at a time: with the one that kills it, no other is lost again.
ALONE = 'a suspect'
HUNG = 2  # leases after which a step counts as hung: its calls have ended within the first
GIVEN_UP = 20  # leases after which its process ends: nothing else takes the operation from it


def patience_s(conf: cfg.ConfigOpts) -> int:
    """Seconds that an orderly stop may take: steps under way are in a call to Heat."""
    return int(conf.cloud.heat_timeout_s) + 10


class Sweep:
    """The loop of one worker, and the bounded pool in which steps are taken."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, manager: Manager):
        self._conf = conf
        self._database = database
        self._manager = manager
        self._pool = threads.Pool('step', conf.conductor.threads)  # never two of one operation
        self._lock = threading.Lock()
        self._woken: list[str] = []
        self._event = threading.Event()
        self._stopping = threading.Event()

    def wake(self, uuid: str) -> None:
        """Look at an operation now; returns at once."""
        with self._lock:
            self._woken.append(uuid)
        self._event.set()

    def hurry(self, cluster_id: str) -> None:
        """Something happened to a cluster in the cloud: look at its operation now.

        If another worker owns it, that one finds it with its next sweep.
        """
        if self._database.write(claims.hurry, cluster_id):
            self._event.set()

    def run(self) -> None:
        """Sweep until stopped; the database may be away for a while."""
        swept = 0.0
        while not self._stopping.is_set():
            self._event.wait(self._conf.conductor.sweep_s)
            self._event.clear()
            with self._lock:
                woken, self._woken = self._woken, []
            try:
                for uuid in woken:
                    self._submit(uuid, claim=True)
                self._go_on()
                if time.monotonic() - swept >= self._conf.conductor.sweep_s:
                    swept = time.monotonic()
                    self._adopt()
                    self._look_at_steps()
            except AWAY as error:
                LOG.warning('No sweep, the next one is tried: %s', error)
                self._stopping.wait(self._conf.conductor.sweep_s)

    def _look_at_steps(self) -> None:
        """Tell of steps that hang. One that goes on to hang keeps its operation: heartbeats are
        another thread's. So the process ends, and another worker takes it over."""
        lease_s = self._conf.conductor.lease_s
        self._pool.tell_overdue(HUNG * lease_s)
        if self._pool.longest_s > GIVEN_UP * lease_s:
            LOG.critical(
                'A step runs for more than %d s, so this process ends, and others go on',
                GIVEN_UP * lease_s,
            )
            threads.end_process(patience_s(self._conf))
            self._stopping.wait()

    def shut(self) -> None:
        """End ``run``, begin no step, and no further call to the cloud in those under way."""
        self._stopping.set()
        self._event.set()
        self._manager.stop()
        self._pool.shut()

    def stop(self) -> None:
        """``shut``, and wait for the steps under way."""
        self.shut()
        self._pool.wait()

    def _adopt(self) -> None:
        """Claim operations whose wake or whose owner was lost, as many as fit."""
        with self._database.read() as connection:
            room = self._conf.conductor.max_owned - agenda.owned(
                connection, owner=self._manager.owner
            )
            limit = min(room, self._pool.room)
            if limit <= 0:
                return
            uuids = agenda.claimable(connection, limit=limit)
            suspects = agenda.claimable(connection, limit=1, suspect=True)
        for uuid in uuids:
            self._submit(uuid, claim=True)
        for uuid in suspects:
            self._submit(uuid, claim=True, key=ALONE)

    def _go_on(self) -> None:
        """Take the steps that are due; of one project, with one look at a backend for all."""
        limit = self._conf.conductor.max_owned if self._pool.room > 0 else 0
        if not limit:
            return
        with self._database.read() as connection:
            due = agenda.due(connection, owner=self._manager.owner, limit=limit)
        projects: dict[tuple[str, Backend | None], list[Row]] = defaultdict(list)
        for row in due:
            if row.uuid in self._pool:
                continue
            if row.attempts >= agenda.SUSPECT:
                self._submit(row.uuid, key=ALONE)
            else:
                backend = self._manager.backends.named(row.plugin_name)
                projects[row.identity['project_id'], backend].append(row)
        for (project, backend), rows in projects.items():
            if backend is None or len(rows) == 1:
                for row in rows:
                    self._submit(row.uuid)
            else:
                self._pool.submit(
                    f'project {project} in {backend.title}',
                    self._go_on_project,
                    backend,
                    rows,
                    failed=functools.partial(self._go_on_singly, rows),
                )

    def _go_on_project(self, backend: Backend, rows: Sequence[Row]) -> None:
        try:
            look = backend.look(rows[0].identity)
        except CloudError as error:  # each step will tell
            LOG.warning('No look at the %ss of a project: %s', backend.noun, error)
            look = None
        for row in rows:
            mine = None if look is None else {row.cluster_id: look.get(row.cluster_id, ())}
            self._submit(row.uuid, mine)

    def _go_on_singly(self, rows: Sequence[Row], error: BaseException) -> None:
        LOG.error('No look at the parts of a project: %r', error, exc_info=error)
        for row in rows:
            self._submit(row.uuid)

    def _submit(
        self, uuid: str, look: Look | None = None, *, claim: bool = False, key: str | None = None
    ) -> None:
        """Have the next step of an operation taken, of one to claim or of this worker's.

        :param key: see ``ALONE``.
        """
        self._pool.submit(
            key or uuid,
            self._step,
            uuid,
            look,
            claim,
            failed=functools.partial(self._broke_off, uuid),
        )

    def _step(self, uuid: str, look: Look | None, claim: bool) -> None:
        if not claim or self._manager.claim(uuid):
            self._wake_next(self._manager.step(uuid, look))
        trace.leave()

    def _broke_off(self, uuid: str, error: BaseException) -> None:
        try:
            LOG.error('A step of operation %s broke off: %r', uuid, error, exc_info=error)
            self._wake_next(self._manager.broke_off(uuid, error))
        finally:
            trace.leave()

    def _wake_next(self, uuid: str | None) -> None:
        if uuid:
            self.wake(uuid)
