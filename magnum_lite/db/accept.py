"""Accepting a change of a cluster that is there: all that a 2xx promises, in one transaction.

Operation, version, visible status and notification stand or fall together; RPC that follows is a
hint. A new cluster is accepted by ``operations.create``.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import operations, overtaking, queue, store
from magnum_lite.db.tables import clusters
from magnum_lite.exceptions import BadRequest, Conflict, WrongState
from magnum_lite.objects import Cluster, NodeGroup, Operation, kinds
from magnum_lite.objects.change import Change
from magnum_lite.objects.operation import RUN
from magnum_lite.objects.statuses import STABLE


def accept(
    connection: sa.Connection,
    cluster: Cluster,
    operation: Operation,
    change: Change,
    *,
    timeout_min: int,
    shows: Iterable[str] = (),
) -> tuple[str, Change] | None:
    """Apply a change, and let the operation that makes it run or wait its turn.

    :param cluster: as it was read.
    :param timeout_min: minutes from its first claim until the operation is given up; 0 for never.
    :param shows: uuids of node groups whose status tells of it, beside the one that it is of.
    :returns: uuid of the operation that does it: of an earlier one where one waits for the same
        group, since the two then are one; and the change, which knows what was before. None where
        what is asked for is under way already, and nothing was written.
    :raises WrongState: the cluster's status does not allow it, or another change came first.
    :raises Conflict: the cluster was changed since it was read and the change is of the whole, or
        it has a node group of that name.
    :raises BadRequest: the group is being deleted.
    """
    kind = kinds.TABLE[change.kind]
    operation.timeout_min = timeout_min
    if (
        kind.removes
        and _is_going(connection, cluster, operation, kind)
        or not _move(connection, cluster, operation, change)
    ):
        return None
    version = _version(connection, cluster.uuid)
    if kind.whole and version != change.base + 1:
        raise Conflict(reason=f'Cluster {cluster.uuid} was changed meanwhile, try again')
    change = _apply(connection, cluster, change)
    waiting = (
        queue.waiting(connection, cluster.uuid, operation.node_group or '') if kind.joins else None
    )
    if waiting:
        return _join(connection, waiting, operation, change, version), change
    operation.slot = queue.slot(connection, cluster, operation)
    _show(connection, operation, change, shows)
    return operations.add(connection, operation, change, version), change


def roll_back(connection: sa.Connection, failed: Operation) -> Operation:
    """The way back from a change that failed and was to be undone then; runs at once."""
    operation = Operation.new(
        kind='rollback',
        reason=f'roll back operation {failed.uuid}, which failed',
        slot=RUN,
        **{
            name: getattr(failed, name)
            for name in (
                'cluster_id',
                'node_group',
                'project_id',
                'user_id',
                'request_id',
                'caller_project_id',
                'identity',
                'timeout_min',
            )
        },
    )
    store.update(
        connection,
        Cluster,
        {
            'status': 'ROLLBACK_IN_PROGRESS',
            'version': clusters.c.version + 1,
            'version_reason': operation.reason,
        },
        uuid=failed.cluster_id,
    )
    version = _version(connection, failed.cluster_id)
    # The rows went back when it failed, all but what a later change asks for.
    change = Change(operation.kind, version - 1)
    _show(connection, operation, change)
    operations.add(connection, operation, change, version)
    return operation


def _is_going(
    connection: sa.Connection, cluster: Cluster, operation: Operation, kind: kinds.Kind
) -> bool:
    """Whether the group is being deleted already. In a cluster that is, all groups are, and none by
    itself."""
    queue.hold(connection, cluster.uuid)
    group = store.get(connection, NodeGroup, operation.group, cluster_id=cluster.uuid)
    return group.status == 'DELETE_IN_PROGRESS' and bool(
        store.count(connection, Cluster, uuid=cluster.uuid, status=kind.statuses)
    )


def _move(
    connection: sa.Connection, cluster: Cluster, operation: Operation, change: Change
) -> bool:
    """Compare and swap of the status: of two racing changes one finds no row. False where the
    cluster is being deleted, as it is asked to be.

    It is also the lock of the cluster's queue: whoever accepts or ends a change writes this row
    before looking at the others.
    """
    kind = kinds.TABLE[change.kind]
    allowed, status = kind.statuses, f'{kind.cluster_phase}_IN_PROGRESS'
    if not kind.ends and not _has_formed(connection, cluster):
        allowed = tuple(name for name in allowed if name != 'CREATE_FAILED')
    moved = store.update(
        connection,
        Cluster,
        {
            **change.at_once.cluster,
            'status': status,
            'version': clusters.c.version + 1,
            'version_reason': operation.reason,
        },
        uuid=cluster.uuid,
        status=allowed,
    )
    if moved:
        return True
    current = store.get(connection, Cluster, cluster.uuid)
    if kind.ends and current.status == status:
        return False
    running = queue.running(connection, cluster.uuid)
    raise WrongState(
        cluster=cluster.uuid,
        status=current.status,
        kind=operation.kind,
        operation=f'; operation {running.uuid} ({running.kind}) is running' if running else '',
    )


def _has_formed(connection: sa.Connection, cluster: Cluster) -> bool:
    """Whether a cluster whose creation failed has its control plane, perhaps since then."""
    return cluster.status == 'CREATE_FAILED' and bool(
        store.rows(
            connection, NodeGroup, 'uuid', cluster_id=cluster.uuid, role='master', status=STABLE
        )
    )


def _apply(connection: sa.Connection, cluster: Cluster, change: Change) -> Change:
    """Write what node groups show at once; the change, which knows what they had before."""
    kind = kinds.TABLE[change.kind]
    groups = [
        store.get(connection, NodeGroup, uuid, cluster_id=cluster.uuid)
        for uuid in change.at_once.groups
    ]
    for group in groups:
        if kind.joins and group.status.startswith('DELETE'):
            raise BadRequest(
                reason=f'Node group {group.name} is {group.status}, which does not '
                f'allow {change.kind}'
            )
        store.update(
            connection, NodeGroup, dict(change.at_once.groups[group.uuid]), uuid=group.uuid
        )
    for values in change.added.values():
        try:
            store.insert(connection, NodeGroup.new(**values))
        except db_exc.DBDuplicateEntry as error:
            raise Conflict(
                reason=f'Cluster {cluster.uuid} has a node group {values["name"]} already'
            ) from error
    for uuid in change.removed:
        queue.cancel(connection, cluster.uuid, uuid)
    if kind.ends:
        overtaking.end_open(connection, cluster)
    return change.upon(groups)


def _join(
    connection: sa.Connection,
    waiting: Operation,
    operation: Operation,
    change: Change,
    version: int,
) -> str:
    queue.join(connection, waiting, operation, change)
    joined = operation.obj_clone()  # the operation stays: the transaction may run again
    joined.uuid = waiting.uuid
    operations.tell(connection, joined, 'start')
    operations.note_version(connection, joined, change, version)
    return str(waiting.uuid)


def _show(
    connection: sa.Connection, operation: Operation, change: Change, also: Iterable[str] = ()
) -> None:
    """The status of the groups that it changes, at once: clients poll without delay."""
    uuids = {*also, *filter(None, [operation.node_group])} - change.added.keys()
    if uuids:
        phase = kinds.TABLE[change.kind].phase
        store.update(
            connection,
            NodeGroup,
            {'status': f'{phase}_IN_PROGRESS', 'status_reason': None},
            uuid=uuids,
        )


def _version(connection: sa.Connection, cluster_id: str) -> int:
    number: int = store.rows(connection, Cluster, 'version', uuid=cluster_id)[0].version
    return number
