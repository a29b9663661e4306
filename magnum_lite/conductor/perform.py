"""What each kind of operation does in one step. Looks first, so any step may be repeated."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from magnum_lite.cloud.lending import Lending
from magnum_lite.conductor import delegation
from magnum_lite.conductor.call import call
from magnum_lite.conductor.cloud import StepCloud
from magnum_lite.db import claims, journal, ledger, store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import (
    APPLICATION_CREDENTIAL,
    DONE,
    ClusterSpec,
    Done,
    Driver,
    Plan,
    Progress,
    Waiting,
)
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.objects import NodeGroup, Operation

# The method of the driver for each kind; a kind that is not named is not carried out.
_METHODS = {
    'create': 'create',
    'upgrade': 'upgrade',
    'rotate_ca': 'rotate_ca',
    **dict.fromkeys(
        (
            'update',
            'resize',
            'nodegroup_create',
            'nodegroup_update',
            'nodegroup_delete',
            'rollback',
        ),
        'update',
    ),
}


@dataclass(frozen=True)
class Step:
    """One step of an operation, with all that it needs."""

    operation: Operation
    driver: Driver
    spec: ClusterSpec
    cloud: StepCloud
    database: Database
    lending: Lending
    late_s: float

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
    if step.operation.kind == 'delete':
        return _delete(step)
    call(step.driver, 'validate', step.spec)  # a refused spec reaches nothing else
    if step.operation.kind == 'rotate_credentials':
        return _rotate_credentials(step)
    return _converge(_without_given_nodes(step), _METHODS[step.operation.kind])


def _converge(step: Step, method: str) -> Progress:
    plan = call(
        step.driver, 'create_dry_run' if method == 'create' else 'update_dry_run', step.spec
    )
    first = step.write(ledger.expect, step.spec.uuid, ledger.STACK, [stack.name for stack in plan])
    if first:  # saves the look: what is not in the ledger was never made
        step.cloud.heat.assume(cluster_tag(step.spec.uuid), [])
    progress = call(step.driver, method, step.cloud, step.spec)
    if isinstance(progress, Done):
        _close(step, plan)
    return progress


def _rotate_credentials(step: Step) -> Progress:
    current = step.spec.secrets.get(APPLICATION_CREDENTIAL[0])
    if current:  # nodes first: what the driver updates is tagged anew
        progress = _converge(step, 'update')
        if not isinstance(progress, Done):
            return progress
    progress = delegation.rotate(
        step.lending.trusts, step.database, step.operation, step.cloud.heat
    )
    if isinstance(progress, Done):
        delegation.end(
            step.lending.application_credentials,
            step.database,
            step.operation,
            keep=lambda ident: current is not None and ident.endswith(f'/{current.value}'),
        )
    return progress


def _close(step: Step, plan: Plan) -> None:
    """Note which stacks are gone of those that the plan no longer has, and as what those that it
    has are left; what it did not touch may be of an older plan."""
    wanted = {stack.name: stack.digest for stack in plan}
    views = step.cloud.heat.listed()
    with step.database.read() as connection:
        entries = [
            entry
            for entry in ledger.open_entries(connection, step.spec.uuid)
            if entry.kind == ledger.STACK
        ]
    gone = [
        entry.name
        for entry in entries
        if entry.name not in wanted and not step.cloud.heat.get(entry.name)
    ]
    if gone:
        step.write(ledger.close, step.spec.uuid, ledger.STACK, gone)
    news = {
        entry.name: digest
        for entry in entries
        if (digest := wanted.get(entry.name))
        and digest != entry.external_id
        and entry.name in views
        and f'plan:{digest}' in views[entry.name].tags
    }
    if news:
        step.write(ledger.left, step.spec.uuid, news)


def _without_given_nodes(step: Step) -> Step:
    """The step with ``nodes_to_remove`` turned into member indexes, which is done once: after the
    servers are gone, nobody could tell any more which members they were."""
    nodes = step.operation.target.get('nodes_to_remove')
    if not nodes:
        return step
    uuid = step.operation.node_group
    manager = call(step.driver, 'get_scale_manager', step.cloud, step.spec)
    group = next(group for group in step.spec.node_groups if group.uuid == uuid)
    indexes = call(manager, 'indexes', uuid, nodes)
    removed = tuple(sorted({*group.removed, *indexes}))
    step.write(_remove, step.operation, uuid, indexes, removed)
    groups = tuple(
        replace(found, removed=removed) if found is group else found
        for found in step.spec.node_groups
    )
    return replace(step, spec=replace(step.spec, node_groups=groups))


def _remove(
    connection: Connection,
    operation: Operation,
    uuid: str,
    indexes: tuple[int, ...],
    removed: tuple[int, ...],
) -> None:
    claims.retarget(connection, operation, {})
    store.update(connection, NodeGroup, {'removed': list(removed)}, uuid=uuid)
    journal.note(connection, operation, f'members {list(indexes)} of the group are to go')


def _delete(step: Step) -> Progress:
    progress = call(step.driver, 'delete', step.cloud, step.spec)
    if not isinstance(progress, Done):
        return progress
    with step.database.read() as connection:
        if claims.in_flight(connection, step.spec.uuid):
            return Waiting('another worker is still inside a call for this cluster', 1)
        if ledger.is_late(connection, step.spec.uuid, late_s=step.late_s) or claims.in_flight(
            connection, step.spec.uuid, late_s=step.late_s
        ):
            return Waiting('a call that Heat did not answer may still take effect')
        entries = [
            entry
            for entry in ledger.open_entries(connection, step.spec.uuid)
            if entry.kind == ledger.STACK
        ]
    # Once more, after nobody can make anything any more: by name, so tags do not matter.
    left = [view for entry in entries if (view := step.cloud.heat.get(entry.name))]
    for view in left:
        if view.status != 'DELETE_IN_PROGRESS':
            step.cloud.heat.delete(view.id)
    gone = {entry.name for entry in entries} - {view.name for view in left}
    step.write(ledger.close, step.spec.uuid, ledger.STACK, gone)
    if left:
        return Waiting(f'{len(left)} stacks are still there, next {left[0].name}')
    step.write(ledger.close, step.spec.uuid, ledger.LATE, [ledger.LATE])
    # Trusts last: what Heat made of them goes with them.
    for lender in (step.lending.application_credentials, step.lending.trusts):
        delegation.end(lender, step.database, step.operation)
    return DONE
