"""What each kind of operation does in one step. Looks first, so any step may be repeated."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from magnum_lite.conductor import validation
from magnum_lite.conductor.call import call, plan_of, progress_of
from magnum_lite.conductor.lost import find
from magnum_lite.db import claims, journal, ledger, members, overtaking, stages, store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.delegation import Delegations
from magnum_lite.driver_sdk import (
    APPLICATION_CREDENTIAL,
    DONE,
    ClusterSpec,
    Done,
    Driver,
    Plan,
    Progress,
    Rejected,
    ScaleManager,
    Waiting,
)
from magnum_lite.driver_sdk.backend import Access, Backend
from magnum_lite.objects import NodeGroup, Operation


@dataclass(frozen=True)
class Step:
    """One step of an operation, with all that it needs.

    :ivar unformed: uuids of the node groups that never formed.
    """

    operation: Operation
    driver: Driver
    spec: ClusterSpec
    backend: Backend
    access: Access
    database: Database
    delegations: Delegations
    late_s: float
    gone: Callable[[Collection[str]], Sequence[str]]
    unformed: frozenset[str] = frozenset()

    @property
    def cloud(self) -> Any:
        """What the driver is given."""
        return self.access.cloud

    @property
    def told(self) -> ClusterSpec:
        """The spec that the driver takes its step with: it says where the last one left off."""
        return replace(self.spec, phase=self.operation.phase, cursor=self.operation.phase_cursor)

    def write(self, work: Callable[..., Any], *args: Any) -> Any:
        """As ``Database.write``, while this run of the operation lasts.

        :raises LostClaim: it is over.
        """
        return self.database.write(claims.fenced, self.operation, work, *args)


def perform(step: Step) -> Progress:
    """Take the step.

    :raises DriverError: see ``call``.
    :raises LostClaim: the operation is another worker's now.
    """
    kind = step.operation.traits
    if kind.ends:
        return _delete(step)
    step = accepted(step)  # a refused spec reaches nothing else
    if kind.rights:
        return _rotate_credentials(step)
    progress = _converge(_without_given_nodes(step))
    if isinstance(progress, Done) and step.spec.going:
        step.write(stages.retire, step.operation, step.spec.going)
        return Waiting('nodes of another generation are not needed any more', 0)
    return _staged(step, progress) if step.operation.stages else progress


def accepted(step: Step) -> Step:
    """The step with what its driver accepts of the spec.

    :raises DriverError: as ``validation.accepted``.
    """
    return replace(
        step,
        spec=validation.accepted(
            step.driver, step.spec, step.unformed, deletes=step.operation.traits.removes
        ),
    )


def _converge(step: Step) -> Progress:
    kind = step.operation.traits
    plan = plan_of(step.driver, kind.dry_run, step.spec)
    first = step.write(ledger.expect, step.spec.uuid, ledger.PART, [part.name for part in plan])
    if first:  # saves the look: what is not in the ledger was never made
        step.access.begins(step.spec.uuid)
    else:
        step = _with_lost_servers(step, plan)
    progress = progress_of(step.driver, kind.method, step.cloud, step.told)
    if isinstance(progress, Done):
        _close(step, plan)
    return progress


def _staged(step: Step, progress: Progress) -> Progress:
    """Progress of an operation with stages: what a driver has done may be one of them."""
    if isinstance(progress, Done):
        name = step.write(stages.advance, step.operation)
        return Waiting(f'stage {name} begins', 0) if name else progress
    if isinstance(progress, Waiting) and progress.reason:
        with step.database.read() as connection:
            name = stages.present(connection, step.operation)
        return replace(progress, reason=f'stage {name}: {progress.reason}')
    return progress


def _rotate_credentials(step: Step) -> Progress:
    current = step.spec.secrets.get(APPLICATION_CREDENTIAL[0])
    if current:  # nodes first: what the driver updates is tagged anew
        progress = _converge(step)
        if not isinstance(progress, Done):
            return progress
    return step.delegations.renew(
        step.operation,
        lambda: step.access.renew(step.spec.uuid, step.operation.uuid),
        current.value if current else None,
    )


def _close(step: Step, plan: Plan) -> None:
    """Note which parts are gone of those that the plan no longer has, and as what those that it
    has are left; what it did not touch may be of an older plan."""
    wanted = {part.name: part.digest for part in plan}
    shown = step.access.shown()
    with step.database.read() as connection:
        entries = [
            entry
            for entry in ledger.open_entries(connection, step.spec.uuid)
            if entry.kind == ledger.PART
        ]
    gone = [
        entry.name
        for entry in entries
        if entry.name not in wanted and not step.access.find(entry.name)
    ]
    if gone:
        step.write(ledger.close, step.spec.uuid, ledger.PART, gone)
    news = {
        entry.name: digest
        for entry in entries
        if (digest := wanted.get(entry.name))
        and digest != entry.external_id
        and entry.name in shown
        and digest == shown[entry.name].digest
    }
    if news:
        step.write(ledger.left, step.spec.uuid, news)


def _without_given_nodes(step: Step) -> Step:
    """The step with ``nodes_to_remove`` turned into member indexes, which is done once: after the
    servers are gone, nobody could tell any more which members they were."""
    nodes = step.operation.wants.nodes_to_remove
    if not nodes:
        return step
    uuid = step.operation.group
    manager = call(step.driver, 'get_scale_manager', step.cloud, step.spec)
    group = next(group for group in step.spec.node_groups if group.uuid == uuid)
    indexes, gone = _indexes(step, manager, nodes)
    removed = tuple(sorted({*group.removed, *indexes}))
    step.write(_remove, step.operation, nodes, indexes, gone, removed)
    groups = tuple(
        replace(found, removed=removed) if found is group else found
        for found in step.spec.node_groups
    )
    return replace(step, spec=replace(step.spec, node_groups=groups))


def _indexes(
    step: Step, manager: ScaleManager, nodes: Sequence[str]
) -> tuple[tuple[int, ...], Sequence[str]]:
    """Member indexes of the nodes that are there, and the nodes that are gone already: whoever
    asks twice gets what they asked for.

    :raises Rejected: the group never had one of them.
    """
    uuid = step.operation.group
    try:
        return call(manager, 'indexes', uuid, nodes), ()
    except Rejected as error:
        with step.database.read() as connection:
            had = members.had(connection, step.spec.uuid, uuid, error.nodes)
        if not error.nodes or set(error.nodes) - had:
            raise
        left = [node for node in nodes if node not in had]
        return (call(manager, 'indexes', uuid, left) if left else ()), error.nodes


def _remove(
    connection: Connection,
    operation: Operation,
    nodes: Sequence[str],
    indexes: tuple[int, ...],
    gone: Sequence[str],
    removed: tuple[int, ...],
) -> None:
    claims.keep(connection, operation, replace(operation.wants, nodes_to_remove=()))
    store.update(connection, NodeGroup, {'removed': list(removed)}, uuid=operation.group)
    members.name(connection, operation.cluster_id, operation.group, nodes)
    if gone:
        journal.note(connection, operation, f'gone already: {", ".join(gone)}')
    if indexes:
        journal.note(connection, operation, f'members {list(indexes)} of the group are to go')


def _with_lost_servers(step: Step, plan: Plan) -> Step:
    """The step with the servers that its parts have made and that are gone; looked for until the
    first step has come to its end, and kept: the next looks are at the backend alone."""
    lost: Sequence[str] | None = step.operation.wants.lost
    if (
        lost is None
        and step.driver.marks_servers
        and step.operation.progress is None
        and (lost := find(step.access, step.spec, plan, step.gone))
    ):
        step.write(_note_lost, step.operation, lost)
    return replace(step, spec=replace(step.spec, lost=tuple(lost or ())))


def _note_lost(connection: Connection, operation: Operation, lost: Sequence[str]) -> None:
    claims.keep(connection, operation, replace(operation.wants, lost=tuple(lost)))
    journal.note(
        connection,
        operation,
        journal.short(f'servers that are gone are to be made again: {", ".join(lost)}'),
    )


def _delete(step: Step) -> Progress:
    progress = progress_of(step.driver, step.operation.traits.method, step.cloud, step.told)
    if not isinstance(progress, Done):
        return progress
    with step.database.read() as connection:
        if overtaking.in_flight(connection, step.spec.uuid):
            return Waiting('another worker is still inside a call for this cluster', 1)
        if ledger.is_late(connection, step.spec.uuid, late_s=step.late_s) or overtaking.in_flight(
            connection, step.spec.uuid, late_s=step.late_s
        ):
            return Waiting(f'a call that {step.backend.title} did not answer may still take effect')
        names = [
            entry.name
            for entry in ledger.open_entries(connection, step.spec.uuid)
            if entry.kind == ledger.PART
        ]
    # Once more, after nobody can make anything any more.
    left = step.access.remove(names)
    step.write(ledger.close, step.spec.uuid, ledger.PART, set(names) - set(left))
    if left:
        return Waiting(f'{len(left)} {step.backend.noun}s are still there, next {left[0]}')
    step.write(ledger.close, step.spec.uuid, ledger.LATE, [ledger.LATE])
    step.delegations.revoke(step.operation)
    return DONE
