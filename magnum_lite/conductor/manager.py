"""Operations, step by step: claim, resolve, perform, record. Knows backends, and none by name."""

import functools
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oslo_config import cfg

from magnum_lite import delegation
from magnum_lite.cloud import servers, transport
from magnum_lite.conductor import (
    facts,
    failures,
    generations,
    keys,
    resolve,
    rights,
    trace,
    waiting,
)
from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.call import status_of
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.lease import Lease
from magnum_lite.conductor.masking import masked
from magnum_lite.conductor.named_access import opened
from magnum_lite.conductor.perform import accepted, perform
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.step import Step
from magnum_lite.db import claims, journal, ledger, overtaking, settle
from magnum_lite.db.engine import AWAY, Database
from magnum_lite.driver_sdk import (
    CloudUnavailable,
    Done,
    DriverError,
    Failed,
    Progress,
    Status,
    Waiting,
)
from magnum_lite.driver_sdk.backend import Access, Backend, Look
from magnum_lite.driver_sdk.cause import documents
from magnum_lite.exceptions import LostClaim, ServiceError
from magnum_lite.objects import Operation
from magnum_lite.secrets.vault import Vault

LOG = logging.getLogger(__name__)
MOST_ATTEMPTS = 5  # workers lost in a row during steps of one operation


class Manager:
    """Takes the steps of the operations that one worker claims.

    :param owner: names the worker in claims; unique among all workers that ever lived.
    """

    def __init__(self, conf: cfg.ConfigOpts, database: Database, registry: Registry, *, owner: str):
        self._conf = conf
        self._database = database
        self._registry = registry
        self._vault = Vault(conf)
        self.clients = Clients(conf)
        self.backends = Backends(conf, registry, self.clients)
        self.delegations = delegation.of(conf, database, self._vault)
        self.owner = owner
        self._stopping = threading.Event()
        self._owed: set[str] = set()  # clusters with a late call that is not noted yet

    def stop(self) -> None:
        """Begin no further step; in those under way, begin no further call to the cloud."""
        self._stopping.set()

    def claim(self, uuid: str) -> bool:
        """Whether the operation is this worker's now."""
        return not self._stopping.is_set() and self._database.write(
            claims.claim, uuid, owner=self.owner, lease_s=self._conf.conductor.lease_s
        )

    def step(self, uuid: str, look: Look | None = None) -> str | None:
        """Take the next step of an operation that this worker has claimed.

        :param look: as ``Backend.open``.
        :returns: uuid of an operation that may run now because this one ended, if any.
        """
        if self._stopping.is_set():
            return None
        until = time.monotonic() + self._conf.conductor.lease_s
        for cluster_id in tuple(self._owed):
            self._note_late(cluster_id)
        try:
            operation = self._database.write(
                claims.step, uuid, owner=self.owner, lease_s=self._conf.conductor.lease_s
            )
            trace.follow(operation)
            if operation.attempts >= MOST_ATTEMPTS:
                return self._record(operation, failures.too_dangerous(operation), None)
            if operation.attempts and not operation.traits.ends:  # lost inside a call?
                self._note_late(operation.cluster_id)
            with transport.Gate(self._stopping.is_set) as gate:
                taken = self._take(operation, until, look)
            if gate.refused:
                LOG.info('Operation %s is left to another worker', operation.uuid)
                self._database.write(claims.leave, operation)
                return None
            return self._record(operation, *taken)
        except LostClaim as error:
            LOG.info('%s', error)
            self._database.write(overtaking.release_superseded, uuid, owner=self.owner)
            return None

    def broke_off(self, uuid: str, error: BaseException) -> str | None:
        """Count a step that ended in an error that nobody foresaw as trouble.

        :returns: as ``step``.
        :raises Exception: the database is away; the owner finds the operation again.
        """
        trouble = f"{type(error).__name__}: the conductor's log has the details"
        try:
            operation = self._database.write(
                claims.step, uuid, owner=self.owner, lease_s=self._conf.conductor.lease_s
            )
            return self._wait(operation, Waiting('', trouble=trouble))
        except LostClaim as lost:
            LOG.info('%s', lost)
            self._database.write(overtaking.release_superseded, uuid, owner=self.owner)
            return None

    def _take(
        self, operation: Operation, until: float, look: Look | None
    ) -> tuple[Progress, Status | None]:
        """Progress, and what the cloud shows once the operation is to end."""
        step = None
        with self._database.read() as connection:
            late = failures.too_late(operation) if claims.is_late(connection, operation) else None
        try:
            step = self._prepare(operation, until, look)
            progress = late or perform(step)
        except CloudUnavailable as error:
            went_on = step is not None and step.access.changes
            progress = Waiting(f'going on: {error}') if went_on else Waiting('', trouble=str(error))
        except DriverError as error:
            progress = failures.of_error(operation, error)
        except LostClaim:
            raise
        except ServiceError as error:
            progress = Failed(error.code, str(error))
        progress, status = self._look(step, late or progress)
        return masked(progress, step.spec.secrets.values()) if step else progress, status

    def _prepare(self, operation: Operation, until: float, look: Look | None) -> Step:
        with self._database.read() as connection:
            rows = resolve.read(connection, operation)
        driver = self._registry.get(rows.driver.plugin_name, at_least=rows.driver.plugin_version)
        url = None  # of no use to what goes
        if not operation.traits.ends:
            url = self.backends.enrolment_url(operation.identity, driver)
            facts.ensure(self._database, self.clients, driver, rows, operation)
            keys.ensure(self._conf, self._database, self._vault, driver, rows.cluster, operation)
            rows = generations.begun(self._database, operation, rows)
        with self._database.read() as connection:
            secrets = keys.secrets_of(connection, self._vault, driver, rows.cluster)
        spec = replace(
            resolve.spec(rows, operation, secrets, url),
            denied_networks=tuple(self._conf.health.denied_networks),
        )
        backend = self.backends.of(driver)
        return Step(
            operation,
            driver,
            spec,
            backend,
            self._open(operation, backend, until, look),
            self._database,
            self.delegations,
            self._conf.cloud.late_s,
            functools.partial(servers.gone, self._conf, operation.identity),
            rows.unformed(operation.node_group),
        )

    def _open(
        self, operation: Operation, backend: Backend, until: float, look: Look | None
    ) -> Access:
        """The backend with the rights of the cluster, or those that are left for its end."""
        lease = Lease(until, lambda: self._note_late(operation.cluster_id))
        who: Mapping[str, Any] | None = operation.identity
        if operation.traits.ends:
            who = rights.for_deletion(backend, self.delegations, self._database, operation)
        return opened(backend, who, lease, look)

    def _note_late(self, cluster_id: str) -> None:
        """Note a call that may take effect later; where the database is away, before the next step,
        since the driver that made the call has not failed."""
        self._owed.add(cluster_id)
        try:
            self._database.write(ledger.late, cluster_id)
            self._owed.discard(cluster_id)
        except AWAY as error:
            LOG.warning('A late call for cluster %s is noted later: %s', cluster_id, error)

    def _look(self, step: Step | None, progress: Progress) -> tuple[Progress, Status | None]:
        """What is there, for an operation that ends; one that is done has to know it, since users
        wait for the addresses, and is not done if a late call was served meanwhile. Of a
        refused spec it is not asked: a status is read by the plan."""
        if (
            step is None
            or isinstance(progress, Waiting)
            or isinstance(progress, Done)
            and step.operation.traits.ends
        ):
            return progress, None
        try:
            step = accepted(step)
            before = step.access.shown()
            status = status_of(step.driver, step.cloud, step.spec)
            if isinstance(progress, Done) and before and step.access.shown() != before:
                noun = step.backend.noun
                progress = Waiting(f'looking again: a {noun} changed when all was done', 0)
            return progress, status
        except DriverError as error:
            LOG.warning('Operation %s: status unknown: %s', step.operation.uuid, error)
            failures.tell(step.operation, error)
            if isinstance(progress, Done):
                progress = Waiting('reading the addresses', trouble=str(error))
            return progress, None

    def _record(
        self, operation: Operation, progress: Progress, status: Status | None
    ) -> str | None:
        if isinstance(progress, Waiting):
            return self._wait(operation, progress)
        if isinstance(progress, Failed):
            text = journal.short(progress.text)  # a log cannot hold all letters either
            LOG.warning(
                'Operation %s (%s of cluster %s) failed: %s',
                operation.uuid,
                operation.kind,
                operation.cluster_id,
                text,
            )
            return self._database.write(
                settle.failed,
                operation,
                code=progress.code,
                text=text,
                status=status,
                causes=documents(progress.causes),
            )
        LOG.info(
            'Operation %s (%s of cluster %s) is done',
            operation.uuid,
            operation.kind,
            operation.cluster_id,
        )
        if operation.traits.ends:
            return self._database.write(settle.gone, operation)
        if status is None:
            raise AssertionError(f'operation {operation.uuid} is done, and nobody looked')
        return self._database.write(settle.done, operation, status)

    def _wait(self, operation: Operation, progress: Waiting) -> str | None:
        """Wait for the next step, unless nothing has succeeded for too long.

        :param progress: with an empty reason where the step did not come so far as to have one.
        """
        progress = replace(
            progress, reason=journal.short(progress.reason), trouble=journal.short(progress.trouble)
        )
        if progress.trouble:
            with self._database.read() as connection:
                hopeless = claims.is_hopeless(
                    connection, operation, after_s=self._conf.conductor.trouble_s
                )
            if hopeless:
                return self._record(operation, failures.given_up(operation, progress), None)
        self._database.write(
            waiting.record,
            operation,
            progress,
            waiting.pause_s(self._conf.conductor, operation, progress),
        )
        return None
