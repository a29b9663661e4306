"""What each kind of operation does in one step. Looks first, so any step may be repeated."""

from collections.abc import Sequence
from dataclasses import replace

from magnum_lite.conductor import removal, validation
from magnum_lite.conductor.call import plan_of, progress_of
from magnum_lite.conductor.lost import find
from magnum_lite.conductor.step import Step
from magnum_lite.db import claims, journal, ledger, overtaking, stages
from magnum_lite.db.engine import Connection
from magnum_lite.driver_sdk import (
    APPLICATION_CREDENTIAL,
    DONE,
    Done,
    Plan,
    Progress,
    Waiting,
)
from magnum_lite.objects import Operation


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
    progress = _converge(removal.decided(step))
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
