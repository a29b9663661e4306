"""Ending an operation: its outcome, the cluster's status and the notification, in one transaction.

Every function is fenced by ``claims.end``: a worker that lost its claim changes nothing. ``later``
is what ``queue.waiting_of`` gives.
"""

import sqlalchemy as sa

from magnum_lite.db import (
    accept,
    claims,
    enrolments,
    journal,
    ledger,
    outbox,
    queue,
    store,
    usage,
)
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk.status import Status
from magnum_lite.objects import Certificate, Cluster, NodeGroup, Operation
from magnum_lite.objects.operation import cluster_phase, group_phase
from magnum_lite.objects.status import STATUSES

_IN_PROGRESS = [status for status in STATUSES if status.endswith('_IN_PROGRESS')]


def observe(connection: sa.Connection, cluster_id: str, status: Status | None) -> None:
    """Write what the cloud shows of the cluster; what it does not show is left as it is.

    Writes the cluster's row in any case, which is the lock of its queue: see ``queue``.
    """
    status = status or Status('ABSENT')
    seen = {
        'stack_id': status.backend_id,
        'api_address': status.api_address,
        'coe_version': status.coe_version,
        'container_version': status.container_version,
    }
    values = {name: value for name, value in seen.items() if value is not None}
    store.update(connection, Cluster, values, uuid=cluster_id)
    for uuid in status.group_backend_ids.keys() | status.group_addresses.keys():
        values = {'node_addresses': list(status.group_addresses.get(uuid, ()))}
        if uuid in status.group_backend_ids:
            values['stack_id'] = status.group_backend_ids[uuid]
        store.update(connection, NodeGroup, values, uuid=uuid, cluster_id=cluster_id)


def done(connection: sa.Connection, operation: Operation, status: Status) -> str | None:
    """The change was made.

    :returns: uuid of the operation that may run next, if one waits.
    :raises LostClaim: the operation is another's now.
    """
    claims.end(connection, operation, state='DONE', progress='done')
    observe(connection, operation.cluster_id, status)
    later = queue.waiting_of(connection, operation.cluster_id)
    _become(connection, operation)
    if operation.kind == 'nodegroup_delete':
        store.delete(connection, NodeGroup, uuid=operation.node_group)
    else:
        _set_groups(connection, operation, later, 'COMPLETE', None)
    return _close(connection, operation, later, 'end', 'done')


def failed(
    connection: sa.Connection, operation: Operation, *, code: str, text: str, status: Status | None
) -> str | None:
    """The change could not be made; what it changed of node groups goes back to what it was.

    :returns: as ``done``.
    :raises LostClaim: as ``done``.
    """
    text = journal.short(text)
    claims.end(
        connection, operation, state='FAILED', error_code=code, error_text=text, progress='failed'
    )
    observe(connection, operation.cluster_id, status)
    later = queue.waiting_of(connection, operation.cluster_id)
    _put_back(connection, operation, later)
    _set_groups(connection, operation, later, 'FAILED', text)
    phase = group_phase(operation.kind)
    whole = [
        uuid
        for uuid, state in (status.group_states if status else {}).items()
        if state == 'COMPLETE'
    ]
    # A group that a change was asked of says that it failed, whatever is there: clients wait on it.
    if whole and phase != 'DELETE' and not operation.node_group:
        store.update(
            connection,
            NodeGroup,
            {'status': f'{phase}_COMPLETE', 'status_reason': None},
            cluster_id=operation.cluster_id,
            uuid=whole,
            status=f'{phase}_FAILED',
        )
    store.update(connection, Cluster, {'status_reason': text}, uuid=operation.cluster_id)
    return _close(connection, operation, later, 'error', f'failed ({code}): {text}', code)


def gone(connection: sa.Connection, operation: Operation) -> None:
    """The cluster is deleted: its rows go, its journal stays.

    :raises LostClaim: as ``done``.
    :raises RuntimeError: the ledger says that something may still exist.
    """
    claims.end(connection, operation, state='DONE', progress='done')
    if ledger.open_entries(connection, operation.cluster_id):
        raise RuntimeError(f'the ledger of cluster {operation.cluster_id} is not empty')
    store.delete(connection, NodeGroup, cluster_id=operation.cluster_id)
    store.delete(connection, Certificate, cluster_id=operation.cluster_id)
    connection.execute(secrets.delete().where(secrets.c.cluster_id == operation.cluster_id))
    enrolments.forget(connection, operation.cluster_id)
    store.delete(connection, Cluster, uuid=operation.cluster_id)
    usage.release(connection, operation.project_id)
    journal.note(connection, operation, 'done')
    outbox.write(connection, operation, 'end')


def _become(connection: sa.Connection, operation: Operation) -> None:
    """Write what the cluster and its groups are now that the change was made."""
    cluster, groups = (operation.target.get(name, {}) for name in ('cluster', 'groups'))
    if cluster:
        store.update(connection, Cluster, cluster, uuid=operation.cluster_id)
    for uuid, values in groups.items():
        store.update(connection, NodeGroup, values, uuid=uuid)
    if operation.kind == 'rotate_ca':
        _forget(connection, operation.cluster_id, before=cluster['ca_generation'])


def _forget(connection: sa.Connection, cluster_id: str, *, before: int) -> None:
    """Drop the authorities of earlier generations, keys too."""
    old = {'cluster_id': cluster_id, 'generation': list(range(1, before))}
    refs = [row.key_ref for row in store.rows(connection, Certificate, 'key_ref', **old)]
    connection.execute(secrets.delete().where(secrets.c.ref.in_(refs)))
    store.delete(connection, Certificate, **old)


def _put_back(connection: sa.Connection, operation: Operation, later: dict[str, Operation]) -> None:
    """Undo what the rows show of a change that failed.

    Where a later change of the same attribute waits, the row shows that one: then the later one
    would go back to what was before both.
    """
    for uuid, values in operation.restore.items():
        next_values = later[uuid].restore.get(uuid, {}) if uuid in later else {}
        both = values.keys() & next_values.keys()
        if both:
            restore = {**next_values, **{name: values[name] for name in both}}
            store.update(connection, Operation, {'restore': {uuid: restore}}, uuid=later[uuid].uuid)
        values = {name: value for name, value in values.items() if name not in both}
        if values:
            store.update(connection, NodeGroup, values, uuid=uuid)


def _set_groups(
    connection: sa.Connection,
    operation: Operation,
    later: dict[str, Operation],
    outcome: str,
    reason: str | None,
) -> None:
    """Show how it ended, but on groups whose next change waits: those are still in progress."""
    where = {'cluster_id': operation.cluster_id, 'status': _IN_PROGRESS}
    if operation.node_group:
        if operation.node_group in later:
            return
        where['uuid'] = operation.node_group
    store.update(
        connection,
        NodeGroup,
        {'status': f'{group_phase(operation.kind)}_{outcome}', 'status_reason': reason},
        **where,
    )


def _close(
    connection: sa.Connection,
    operation: Operation,
    later: dict[str, Operation],
    outcome: str,
    note: str,
    reason: str = '',
) -> str | None:
    """Let the next change run, or show how the last ones ended: one that failed is told of until
    the next is accepted."""
    journal.note(connection, operation, note)
    outbox.write(connection, operation, outcome, reason)
    if outcome == 'error' and operation.target.get('rollback'):
        return accept.roll_back(connection, operation).uuid
    following = queue.promote(connection, later)
    if not following:
        cluster = store.rows(connection, Cluster, 'status_reason', uuid=operation.cluster_id)[0]
        # After a rollback that went well the reason of the failure before it stays to be read.
        is_good = outcome == 'end' and (
            cluster.status_reason is None or operation.kind == 'rollback'
        )
        result = 'COMPLETE' if is_good else 'FAILED'
        store.update(
            connection,
            Cluster,
            {'status': f'{cluster_phase(operation.kind)}_{result}'},
            uuid=operation.cluster_id,
        )
    return following
