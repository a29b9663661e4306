"""Ending an operation: its outcome, the cluster's status and the notification, in one transaction.

Every function is fenced by ``claims.end``: a worker that lost its claim changes nothing. ``later``
is what ``queue.waiting_of`` gives.
"""

from typing import Any

import sqlalchemy as sa

from magnum_lite.db import (
    accept,
    claims,
    enrolments,
    generations,
    journal,
    ledger,
    members,
    operations,
    queue,
    store,
    usage,
)
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk.status import Status
from magnum_lite.objects import Certificate, Cluster, NodeGroup, Operation, nodegroup
from magnum_lite.objects.statuses import STATUSES

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
        of_group: dict[str, str | list[str]] = {
            'node_addresses': list(status.group_addresses.get(uuid, ()))
        }
        if uuid in status.group_backend_ids:
            of_group['stack_id'] = status.group_backend_ids[uuid]
        store.update(connection, NodeGroup, of_group, uuid=uuid, cluster_id=cluster_id)


def done(connection: sa.Connection, operation: Operation, status: Status) -> str | None:
    """The change was made.

    :returns: uuid of the operation that may run next, if one waits.
    :raises LostClaim: the operation is another's now.
    """
    claims.end(connection, operation, state='DONE', progress='done')
    formed = [] if operation.node_group else _formed(connection, operation.cluster_id, status)
    observe(connection, operation.cluster_id, status)
    later = queue.waiting_of(connection, operation.cluster_id)
    become(connection, operation)
    if made := [uuid for uuid in formed if uuid not in later]:
        store.update(
            connection, NodeGroup, {'status': 'CREATE_COMPLETE', 'status_reason': None}, uuid=made
        )
    if operation.wants.removed:
        store.delete(connection, NodeGroup, uuid=operation.wants.removed)
    else:
        _set_groups(connection, operation, later, 'COMPLETE', None)
    return _close(connection, operation, later, 'end', 'done', status=status)


def _formed(connection: sa.Connection, cluster_id: str, status: Status) -> list[str]:
    """Uuids of groups that a change of the whole cluster made, after their own creation failed."""
    queue.hold(connection, cluster_id)  # before the first look, which is what all others see
    groups = nodegroup.unformed(store.find(connection, NodeGroup, cluster_id=cluster_id))
    return [uuid for uuid in groups if status.group_states.get(uuid) == 'COMPLETE']


def failed(
    connection: sa.Connection,
    operation: Operation,
    *,
    code: str,
    text: str,
    status: Status | None,
    causes: list[dict[str, Any]] | None = None,
) -> str | None:
    """The change could not be made; what it changed of node groups goes back to what it was.

    :param causes: as ``cause.documents``.
    :returns: as ``done``.
    :raises LostClaim: as ``done``.
    """
    text = journal.short(text)
    claims.end(
        connection,
        operation,
        state='FAILED',
        error_code=code,
        error_text=text,
        causes=causes,
        progress='failed',
    )
    observe(connection, operation.cluster_id, status)
    later = queue.waiting_of(connection, operation.cluster_id)
    _put_back(connection, operation, later)
    if operation.wants.generations:
        _keep_both(connection, operation)
    _set_groups(connection, operation, later, 'FAILED', text)
    _spare_whole_groups(connection, operation, status)
    store.update(connection, Cluster, {'status_reason': text}, uuid=operation.cluster_id)
    return _close(
        connection, operation, later, 'error', f'failed ({code}): {text}', code, status=status
    )


def _spare_whole_groups(
    connection: sa.Connection, operation: Operation, status: Status | None
) -> None:
    phase = operation.traits.phase
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
    operations.tell(connection, operation, 'end')


def become(connection: sa.Connection, operation: Operation) -> None:
    """Write what the cluster and its groups are now that the change was made, or so much of it that
    there is no way back."""
    values = operation.wants.at_end
    if values.cluster:
        store.update(connection, Cluster, dict(values.cluster), uuid=operation.cluster_id)
    for uuid, of_group in values.groups.items():
        store.update(connection, NodeGroup, dict(of_group), uuid=uuid)


def _put_back(connection: sa.Connection, operation: Operation, later: dict[str, Operation]) -> None:
    """Undo what the rows show of a change that failed."""
    change = operation.wants
    behind = [later[uuid] for uuid in change.undo if uuid in later]
    for uuid, values in change.put_back(found.wants for found in behind).items():
        store.update(connection, NodeGroup, values, uuid=uuid)
    for found in behind:
        store.update(connection, Operation, found.wants.behind(change).columns(), uuid=found.uuid)


def _keep_both(connection: sa.Connection, operation: Operation) -> None:
    """Leave the nodes that there are, and say so: the groups' rows say which of them work."""
    if count := generations.turn_back(connection, operation.cluster_id):
        journal.note(
            connection,
            operation,
            f'new nodes of {count} node groups are kept beside the '
            'old ones, the next change of each removes them',
        )


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
        {'status': f'{operation.traits.phase}_{outcome}', 'status_reason': reason},
        **where,
    )


def _close(
    connection: sa.Connection,
    operation: Operation,
    later: dict[str, Operation],
    outcome: str,
    note: str,
    reason: str = '',
    *,
    status: Status | None,
) -> str | None:
    """Let the next change run, or show how the last ones ended: one that failed is told of until
    the next is accepted."""
    journal.note(connection, operation, note)
    operations.tell(connection, operation, outcome, reason)
    cluster = store.rows(
        connection, Cluster, 'status_reason', 'version', uuid=operation.cluster_id
    )[0]
    if status:  # all nodes are there once the last change is made
        is_last = outcome == 'end' and not later
        members.note(
            connection, operation.cluster_id, status, version=cluster.version if is_last else None
        )
    if outcome == 'error' and operation.wants.rollback:
        return accept.roll_back(connection, operation).uuid
    following, kind = queue.promote(connection, later), operation.traits
    if not following:
        # After a rollback that went well the reason of the failure before it stays to be read.
        is_good = outcome == 'end' and (cluster.status_reason is None or kind.phase == 'ROLLBACK')
        result = 'COMPLETE' if is_good else 'FAILED'
        store.update(
            connection,
            Cluster,
            {'status': f'{kind.cluster_phase}_{result}'},
            uuid=operation.cluster_id,
        )
    return following
