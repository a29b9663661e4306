"""Operations, step by step: claim, resolve, perform, record. Knows nothing of Heat's ways."""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite.cloud import transport
from magnum_lite.cloud.lending import Lending
from magnum_lite.conductor import credentials, delegation, resolve, trace
from magnum_lite.conductor.call import call
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.cloud import LeasedHeat, StepCloud
from magnum_lite.conductor.perform import Step, perform
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, journal, ledger, settle, store
from magnum_lite.db.engine import AWAY, Connection, Database
from magnum_lite.driver_sdk import (
    CloudError,
    CloudUnavailable,
    Done,
    Driver,
    DriverError,
    Failed,
    FailedError,
    Progress,
    Rejected,
    StackView,
    Status,
    Waiting,
)
from magnum_lite.exceptions import LostClaim, ServiceError
from magnum_lite.objects import Cluster, Operation
from magnum_lite.secrets.vault import Vault

LOG = logging.getLogger(__name__)
MOST_ATTEMPTS = 5  # workers lost in a row during steps of one operation
Seen = Mapping[str, Sequence[StackView]]


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
        self.lending = Lending.of(conf)
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

    def step(self, uuid: str, seen: Seen | None = None) -> str | None:
        """Take the next step of an operation that this worker has claimed.

        :param seen: see ``LeasedHeat``.
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
                return self._record(operation, _too_dangerous(operation), None)
            if operation.attempts and operation.kind != 'delete':  # lost inside a call, perhaps
                self._note_late(operation.cluster_id)
            with transport.Gate(self._stopping.is_set) as gate:
                taken = self._take(operation, until, seen)
            if gate.refused:
                LOG.info('Operation %s is left to another worker', operation.uuid)
                self._database.write(claims.leave, operation)
                return None
            return self._record(operation, *taken)
        except LostClaim as error:
            LOG.info('%s', error)
            self._database.write(claims.release_superseded, uuid, owner=self.owner)
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
            self._database.write(claims.release_superseded, uuid, owner=self.owner)
            return None

    def _take(
        self, operation: Operation, until: float, seen: Seen | None
    ) -> tuple[Progress, Status | None]:
        """Progress, and what the cloud shows once the operation is to end."""
        step = None
        with self._database.read() as connection:
            late = _too_late(operation) if claims.is_late(connection, operation) else None
        try:
            step = self._prepare(operation, until, seen)
            progress = late or perform(step)
        except CloudUnavailable as error:
            went_on = step is not None and step.cloud.heat.changes
            progress = Waiting(f'going on: {error}') if went_on else Waiting('', trouble=str(error))
        except DriverError as error:
            progress = _failure(operation, error)
        except LostClaim:
            raise
        except ServiceError as error:
            progress = Failed(error.code, str(error))
        return self._look(step, late or progress)

    def _prepare(self, operation: Operation, until: float, seen: Seen | None) -> Step:
        with self._database.read() as connection:
            rows = resolve.read(connection, operation)
        driver = self._registry.get(rows.driver.plugin_name, at_least=rows.driver.plugin_version)
        if operation.kind != 'delete':
            rows = self._ready(operation, rows, driver)
        with self._database.read() as connection:
            spec = resolve.spec(
                connection, self._vault, driver, rows, operation, self._conf.enrolment.public_url
            )
        if operation.kind == 'delete':
            heat = delegation.heat_for_deletion(
                self.clients, self.lending, self._database, operation
            )
        else:
            heat = self.clients.heat(operation.identity)
        leased = LeasedHeat(
            heat,
            until=until,
            timeout_s=self._conf.cloud.heat_timeout_s,
            seen=seen,
            unanswered=lambda: self._note_late(operation.cluster_id),
        )
        return Step(
            operation,
            driver,
            spec,
            StepCloud(leased),
            self._database,
            self.lending,
            self._conf.cloud.late_s,
        )

    def _note_late(self, cluster_id: str) -> None:
        """Note a call that may take effect later; where the database is away, before the next step.

        It raises nothing: the driver that made the call has not failed.
        """
        self._owed.add(cluster_id)
        try:
            self._database.write(ledger.late, cluster_id)
            self._owed.discard(cluster_id)
        except AWAY as error:
            LOG.warning('A late call for cluster %s is noted later: %s', cluster_id, error)

    def _ready(self, operation: Operation, rows: resolve.Rows, driver: Driver) -> resolve.Rows:
        """Look up and make what the first step needs, once; the rows with it."""
        if rows.image is None:
            found = self.clients.image(operation.identity, rows.template.image_id)
            rows.cluster.facts = {**rows.cluster.facts, 'image': found}
            self._database.write(
                claims.fenced, operation, _keep_facts, operation, rows.cluster.facts
            )
        credentials.ensure(self._conf, self._database, self._vault, driver, rows.cluster, operation)
        return rows

    def _look(self, step: Step | None, progress: Progress) -> tuple[Progress, Status | None]:
        """What is there, for an operation that ends; one that is done has to know it, since users
        wait for the addresses, and is not done if Heat has served a late call meanwhile. Of a
        refused spec it is not asked: a status is read by the plan."""
        if (
            step is None
            or isinstance(progress, Waiting)
            or isinstance(progress, Done)
            and step.operation.kind == 'delete'
        ):
            return progress, None
        try:
            call(step.driver, 'validate', step.spec)
            before = step.cloud.heat.listed()
            status = call(step.driver, 'get_status', step.cloud, step.spec)
            if isinstance(progress, Done) and before and step.cloud.heat.listed() != before:
                progress = Waiting('looking again: a stack changed when all was done', 0)
            return progress, status
        except DriverError as error:
            LOG.warning('Operation %s: status unknown: %s', step.operation.uuid, error)
            if isinstance(progress, Done):
                progress = Waiting('reading the addresses', trouble=str(error))
            return progress, None

    def _record(
        self, operation: Operation, progress: Progress, status: Status | None
    ) -> str | None:
        if isinstance(progress, Waiting):
            return self._wait(operation, progress)
        if isinstance(progress, Failed):
            LOG.warning(
                'Operation %s (%s of cluster %s) failed: %s',
                operation.uuid,
                operation.kind,
                operation.cluster_id,
                progress.text,
            )
            return self._database.write(
                settle.failed, operation, code=progress.code, text=progress.text, status=status
            )
        LOG.info(
            'Operation %s (%s of cluster %s) is done',
            operation.uuid,
            operation.kind,
            operation.cluster_id,
        )
        if operation.kind == 'delete':
            return self._database.write(settle.gone, operation)
        return self._database.write(settle.done, operation, status)

    def _wait(self, operation: Operation, progress: Waiting) -> str | None:
        """Wait for the next step, unless nothing has succeeded for too long.

        :param progress: with an empty reason where the step did not come so far as to have one.
        """
        if progress.trouble:
            with self._database.read() as connection:
                hopeless = claims.is_hopeless(
                    connection, operation, after_s=self._conf.conductor.trouble_s
                )
            if hopeless:
                return self._record(operation, _given_up(operation, progress.trouble), None)
        self._database.write(
            _note_and_wait, operation, progress, self._pause_s(operation, progress)
        )
        return None

    def _pause_s(self, operation: Operation, progress: Waiting) -> float:
        """Seconds until the next look: doubling while nothing happens, with jitter."""
        options = self._conf.conductor
        if progress.check_after_s is not None:
            return progress.check_after_s
        pause = options.poll_min_s
        if progress.reason == operation.progress or progress.trouble:
            pause = max(pause, min(2 * operation.interval_ms / 1000, options.poll_max_s))
        return pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _keep_facts(connection: Connection, operation: Operation, facts: dict[str, Any]) -> None:
    """Keep what was looked up: with the cluster, or with what it is to become."""
    if 'cluster' in operation.target:
        target = {**operation.target, 'cluster': {**operation.target['cluster'], 'facts': facts}}
        claims.retarget(connection, operation, target)
        operation.target = target
    else:
        store.update(connection, Cluster, {'facts': facts}, uuid=operation.cluster_id)


def _note_and_wait(
    connection: Connection, operation: Operation, progress: Waiting, pause_s: float
) -> None:
    reason = progress.reason or operation.progress
    is_new = reason != operation.progress
    trouble = progress.trouble or None
    troubles = operation.troubles + bool(trouble and progress.reason)
    if not trouble and troubles and not is_new:
        trouble = operation.trouble  # what failed is being done again: no success yet
    claims.wait(
        connection,
        operation,
        progress=reason,
        check_in_s=pause_s,
        troubles=troubles,
        trouble=trouble,
    )
    if is_new or trouble != operation.trouble:
        journal.note(connection, operation, ': '.join(filter(None, (reason, trouble))))


def _too_late(operation: Operation) -> Failed:
    trouble = f'. The last error was: {operation.trouble}' if operation.trouble else ''
    return Failed(
        'timeout',
        'It took longer than allowed and was given up. The last step was: '
        f'{operation.progress or "the first"}{trouble}',
    )


def _too_dangerous(operation: Operation) -> Failed:
    return Failed(
        'worker-lost',
        f'{operation.attempts} workers in a row were lost during a step '
        'of it, so it was given up. The logs of the conductors and of '
        'their hosts have the reason',
    )


def _given_up(operation: Operation, trouble: str) -> Failed:
    since = f'{operation.trouble_since:%Y-%m-%d %H:%M:%S}'
    return Failed(
        'trouble',
        f'Nothing has succeeded since {since} UTC, however often it was '
        f'tried, so it was given up. The last error was: {trouble}',
    )


def _failure(operation: Operation, error: DriverError) -> Failed:
    if isinstance(error, FailedError):
        for line in error.operator.splitlines():  # each with the request id: people use grep
            LOG.error('Operation %s: %s', operation.uuid, line)
        return Failed('driver-failed', error.user)
    if isinstance(error, Rejected):
        return Failed('driver-rejected', str(error))
    if isinstance(error, CloudError):
        return Failed('cloud-refused', str(error))
    return Failed('not-supported', str(error))
