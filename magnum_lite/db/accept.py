"""Accepting a change: all that a 2xx promises, in one transaction.

Operation, version, visible status, quota and notification stand or fall together; RPC that follows
is a hint.
"""

from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import claims, outbox, queue, store, usage
from magnum_lite.db.tables import clusters
from magnum_lite.exceptions import BadRequest, Conflict, NotFound, WrongState
from magnum_lite.objects import Cluster, ClusterVersion, NodeGroup, Operation
from magnum_lite.objects.operation import ALLOWED, OPEN, OVERTAKEN, RUN, group_phase
from magnum_lite.objects.status import STABLE

_CHANGED = 'UPDATE_IN_PROGRESS'


def create(
    connection: sa.Connection,
    cluster: Cluster,
    groups: list[NodeGroup],
    operation: Operation,
    *,
    quota: int,
    timeout_min: int,
) -> None:
    """A new cluster with its default groups.

    :param quota: the limit of projects without one of their own.
    :param timeout_min: minutes from its first claim until the operation is given up; 0 for never.
    :raises QuotaExceeded: the project has as many as it may.
    :raises NotFound: the template was deleted meanwhile.
    """
    usage.reserve(connection, cluster.project_id, default_limit=quota)
    try:
        store.insert(connection, cluster)
    except db_exc.DBReferenceError as error:
        raise NotFound(noun='ClusterTemplate', ident=cluster.cluster_template_id) from error
    store.insert(connection, *groups)
    operation.slot = RUN
    _begin(
        connection,
        operation,
        cluster.version,
        timeout_min,
        {
            'cluster': cluster.obj_to_primitive(),
            'groups': {group.uuid: group.obj_to_primitive() for group in groups},
        },
    )


def change(
    connection: sa.Connection,
    cluster: Cluster,
    operation: Operation,
    *,
    values: dict[str, Any],
    timeout_min: int,
) -> str:
    """A change of the node group that the operation names.

    :param values: new attributes of the group; they are put back if it fails.
    :param timeout_min: as ``create``.
    :returns: uuid of the operation that does it: of an earlier one where one waits for the same
        group, since the two then are one.
    :raises WrongState: the cluster's status does not allow it, or another change came first.
    :raises BadRequest: the group is being deleted.
    """
    _move(connection, cluster, operation, _CHANGED, ALLOWED[operation.kind])
    group = store.get(connection, NodeGroup, operation.node_group, cluster_id=cluster.uuid)
    if group.status.startswith('DELETE'):
        raise BadRequest(
            reason=f'Node group {group.name} is {group.status}, which does not allow '
            f'{operation.kind}'
        )
    operation.restore = {group.uuid: {name: getattr(group, name) for name in values}}
    store.update(connection, NodeGroup, values, uuid=group.uuid)
    changed = {'groups': {group.uuid: values}}
    waiting = queue.waiting(connection, cluster.uuid, group.uuid)
    if waiting:
        queue.join(connection, waiting, operation, timeout_min)
        operation.uuid = waiting.uuid
        outbox.write(connection, operation, 'start')
        _journal(connection, operation, _version(connection, cluster.uuid), changed)
    else:
        operation.slot = queue.slot(connection, cluster, operation)
        _show(connection, operation)
        _begin(connection, operation, _version(connection, cluster.uuid), timeout_min, changed)
    return operation.uuid


def whole(
    connection: sa.Connection,
    cluster: Cluster,
    operation: Operation,
    *,
    groups: list[str],
    timeout_min: int,
) -> None:
    """A change of the cluster as a whole; its target says what the rows are to become.

    :param groups: uuids of the groups that show it.
    :param timeout_min: as ``create``.
    :raises WrongState: as ``change``.
    :raises Conflict: the cluster was changed since it was read, so the target is out of date.
    """
    _move(connection, cluster, operation, _CHANGED, ALLOWED[operation.kind])
    if store.get(connection, Cluster, cluster.uuid).version != cluster.version + 1:
        raise Conflict(reason=f'Cluster {cluster.uuid} was changed meanwhile, try again')
    operation.slot = queue.slot(connection, cluster, operation)
    store.update(connection, NodeGroup, {'status': _CHANGED, 'status_reason': None}, uuid=groups)
    _begin(
        connection,
        operation,
        cluster.version + 1,
        timeout_min,
        {
            name: operation.target[name]
            for name in ('cluster', 'groups')
            if name in operation.target
        },
    )


def add_group(
    connection: sa.Connection,
    cluster: Cluster,
    group: NodeGroup,
    operation: Operation,
    *,
    timeout_min: int,
) -> None:
    """A new node group.

    :param timeout_min: as ``create``.
    :raises WrongState: as ``change``.
    :raises Conflict: the cluster has one of that name.
    """
    _move(connection, cluster, operation, _CHANGED, ALLOWED[operation.kind])
    try:
        store.insert(connection, group)
    except db_exc.DBDuplicateEntry as error:
        raise Conflict(
            reason=f'Cluster {cluster.uuid} has a node group {group.name} already'
        ) from error
    operation.slot = queue.slot(connection, cluster, operation)
    _begin(
        connection,
        operation,
        _version(connection, cluster.uuid),
        timeout_min,
        {'groups': {group.uuid: group.obj_to_primitive()}},
    )


def remove_group(
    connection: sa.Connection, cluster: Cluster, operation: Operation, *, timeout_min: int
) -> bool:
    """The deletion of a node group: cancels what waits for it.

    :param timeout_min: as ``create``.
    :returns: False when the group is being deleted already, and nothing was written.
    :raises WrongState: as ``change``; and so it is once the cluster is being deleted.
    """
    queue.hold(connection, cluster.uuid)
    group = store.get(connection, NodeGroup, operation.node_group, cluster_id=cluster.uuid)
    statuses = ALLOWED[operation.kind]
    # In a cluster that is being deleted all groups are, and none by itself.
    if group.status == 'DELETE_IN_PROGRESS' and store.count(
        connection, Cluster, uuid=cluster.uuid, status=statuses
    ):
        return False
    _move(connection, cluster, operation, _CHANGED, statuses)
    queue.cancel(connection, cluster.uuid, group.uuid)
    operation.slot = queue.slot(connection, cluster, operation)
    _show(connection, operation)
    _begin(
        connection,
        operation,
        _version(connection, cluster.uuid),
        timeout_min,
        {'groups': {group.uuid: None}},
    )
    return True


def delete(
    connection: sa.Connection, cluster: Cluster, operation: Operation, *, timeout_min: int
) -> bool:
    """A deletion: overtakes whatever else is open.

    :param timeout_min: as ``create``.
    :returns: False when the cluster is being deleted already, and nothing was written.
    :raises WrongState: it has a status that this release does not know.
    """
    statuses = tuple(s for s in ALLOWED['delete'] if s != 'DELETE_IN_PROGRESS')
    try:
        _move(connection, cluster, operation, 'DELETE_IN_PROGRESS', statuses)
    except WrongState:
        if store.get(connection, Cluster, cluster.uuid).status == 'DELETE_IN_PROGRESS':
            return False
        raise
    _overtake(connection, cluster)
    store.update(
        connection,
        NodeGroup,
        {'status': 'DELETE_IN_PROGRESS', 'status_reason': None},
        cluster_id=cluster.uuid,
    )
    operation.slot = queue.slot(connection, cluster, operation)
    _begin(
        connection, operation, _version(connection, cluster.uuid), timeout_min, {'cluster': None}
    )
    return True


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
    _show(connection, operation)
    _begin(
        connection,
        operation,
        _version(connection, failed.cluster_id),
        failed.timeout_min,
        {'groups': failed.restore},
    )
    return operation


def _overtake(connection: sa.Connection, cluster: Cluster) -> None:
    """End what is open, and tell of it: whoever heard of the start hears of the end."""
    uuids = [
        row.uuid
        for row in store.rows(connection, Operation, 'uuid', cluster_id=cluster.uuid, state=OPEN)
    ]
    claims.overtake(connection, cluster.uuid)
    # One that ended by itself meanwhile has told of that.
    for ended in store.find(connection, Operation, uuid=uuids, state=OVERTAKEN):
        outbox.write(connection, ended, 'error', 'overtaken')


def _move(
    connection: sa.Connection,
    cluster: Cluster,
    operation: Operation,
    status: str,
    allowed: tuple[str, ...],
) -> None:
    """Compare and swap of the status: of two racing changes one finds no row.

    It is also the lock of the cluster's queue: whoever accepts or ends a change writes this row
    before looking at the others.
    """
    if operation.kind != 'delete' and not _has_formed(connection, cluster):
        allowed = tuple(name for name in allowed if name != 'CREATE_FAILED')
    moved = store.update(
        connection,
        Cluster,
        {'status': status, 'version': clusters.c.version + 1, 'version_reason': operation.reason},
        uuid=cluster.uuid,
        status=allowed,
    )
    if not moved:
        current = store.get(connection, Cluster, cluster.uuid)
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


def _show(connection: sa.Connection, operation: Operation) -> None:
    """The status of the group that the operation changes, at once: clients poll without delay."""
    store.update(
        connection,
        NodeGroup,
        {'status': f'{group_phase(operation.kind)}_IN_PROGRESS', 'status_reason': None},
        uuid=operation.node_group,
    )


def _version(connection: sa.Connection, cluster_id: str) -> int:
    number: int = store.rows(connection, Cluster, 'version', uuid=cluster_id)[0].version
    return number


def _begin(
    connection: sa.Connection,
    operation: Operation,
    version: int,
    timeout_min: int,
    changed: dict[str, Any],
) -> None:
    operation.timeout_min = timeout_min
    operation.cluster_version = version
    _journal(connection, operation, version, changed)
    store.insert(connection, operation)
    outbox.write(connection, operation, 'start')


def _journal(
    connection: sa.Connection, operation: Operation, version: int, changed: dict[str, Any]
) -> None:
    """Note what the operation makes of the cluster: only what changes, since a cluster may have
    many groups and many versions."""
    store.insert(
        connection,
        ClusterVersion.new(
            cluster_id=operation.cluster_id,
            version=version,
            reason=operation.reason,
            operation=operation.uuid,
            user_id=operation.user_id,
            request_id=operation.request_id,
            snapshot=changed,
        ),
    )
