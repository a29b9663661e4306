"""Finding work: woken operations at once, the others by sweeps. Takes no step itself."""

import functools
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite import threads
from magnum_lite.conductor import trace
from magnum_lite.conductor.manager import Manager, Seen
from magnum_lite.db import claims
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import CloudError, StackView
from magnum_lite.driver_sdk.heat import cluster_tag

LOG = logging.getLogger(__name__)
# Of suspects a worker takes one at a time: with the one that kills it, no other is lost again.
ALONE = 'a suspect'
HUNG = 2  # leases after which a step counts as hung: its calls have ended within the first


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
                    self._pool.tell_overdue(HUNG * self._conf.conductor.lease_s)
            except AWAY as error:
                LOG.warning('No sweep, the next one is tried: %s', error)
                self._stopping.wait(self._conf.conductor.sweep_s)

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
            room = self._conf.conductor.max_owned - claims.owned(
                connection, owner=self._manager.owner
            )
            limit = min(room, self._pool.room)
            if limit <= 0:
                return
            uuids = claims.claimable(connection, limit=limit)
            suspects = claims.claimable(connection, limit=1, suspect=True)
        for uuid in uuids:
            self._submit(uuid, claim=True)
        for uuid in suspects:
            self._submit(uuid, claim=True, key=ALONE)

    def _go_on(self) -> None:
        """Take the steps that are due; of one project, with one look at Heat for all of them."""
        limit = self._conf.conductor.max_owned if self._pool.room > 0 else 0
        if not limit:
            return
        with self._database.read() as connection:
            due = claims.due(connection, owner=self._manager.owner, limit=limit)
        projects: dict[str, list[Row]] = defaultdict(list)
        for row in due:
            if row.uuid in self._pool:
                continue
            if row.attempts >= claims.SUSPECT:
                self._submit(row.uuid, key=ALONE)
            else:
                projects[row.identity['project_id']].append(row)
        for project, rows in projects.items():
            if len(rows) == 1:
                self._submit(rows[0].uuid)
            else:
                self._pool.submit(
                    f'project {project}',
                    self._go_on_project,
                    rows,
                    failed=functools.partial(self._go_on_singly, rows),
                )

    def _go_on_project(self, rows: Sequence[Row]) -> None:
        stacks = self._list(rows[0].identity)
        for row in rows:
            tag = cluster_tag(row.cluster_id)
            seen = None if stacks is None else {tag: stacks.get(tag, [])}
            self._submit(row.uuid, seen)

    def _go_on_singly(self, rows: Sequence[Row], error: BaseException) -> None:
        LOG.error('No list of the stacks of a project: %r', error, exc_info=error)
        for row in rows:
            self._submit(row.uuid)

    def _list(self, identity: Mapping[str, Any]) -> Mapping[str, list[StackView]] | None:
        """The stacks of a project by tag; None if Heat does not answer: each step will tell."""
        try:
            stacks = self._manager.clients.heat(identity).list('magnum_lite')
        except CloudError as error:
            LOG.warning('No list of the stacks of a project: %s', error)
            return None
        by_tag: dict[str, list[StackView]] = defaultdict(list)
        for stack in stacks:
            for tag in stack.tags:
                by_tag[tag].append(stack)
        return by_tag

    def _submit(
        self, uuid: str, seen: Seen | None = None, *, claim: bool = False, key: str | None = None
    ) -> None:
        """Have the next step of an operation taken, of one to claim or of this worker's.

        :param key: see ``ALONE``.
        """
        self._pool.submit(
            key or uuid,
            self._step,
            uuid,
            seen,
            claim,
            failed=functools.partial(self._broke_off, uuid),
        )

    def _step(self, uuid: str, seen: Seen | None, claim: bool) -> None:
        if not claim or self._manager.claim(uuid):
            self._wake_next(self._manager.step(uuid, seen))
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
