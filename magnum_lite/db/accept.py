"""Accepting a change: all that a 2xx promises, in one transaction.

Operation, version, visible status, quota and notification stand or fall together; RPC that follows
is a hint.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import claims, outbox, store, usage
from magnum_lite.db.engine import now
from magnum_lite.db.tables import clusters
from magnum_lite.exceptions import NotFound, WrongState
from magnum_lite.objects import Cluster, ClusterVersion, NodeGroup, Operation
from magnum_lite.objects.operation import ALLOWED, OPEN, RUN


def create(connection: sa.Connection, cluster: Cluster, groups: list[NodeGroup],
           operation: Operation, *, quota: int, timeout_min: int) -> None:
    """A new cluster with its default groups.

    :param quota: the limit of projects without one of their own.
    :param timeout_min: minutes until the operation is given up; 0 for never.
    :raises QuotaExceeded: the project has as many as it may.
    :raises NotFound: the template was deleted meanwhile.
    """
    usage.reserve(connection, cluster.project_id, default_limit=quota)
    try:
        store.insert(connection, cluster)
    except db_exc.DBReferenceError as error:
        raise NotFound(noun='ClusterTemplate', ident=cluster.cluster_template_id) from error
    store.insert(connection, *groups)
    _begin(connection, cluster, groups, operation, timeout_min)


def change(connection: sa.Connection, cluster: Cluster, operation: Operation, *,
           groups: Mapping[str, Mapping[str, Any]], timeout_min: int) -> None:
    """A change of node groups.

    :param groups: ``{uuid: {attribute: value}}``; node counts are put back if it fails.
    :param timeout_min: as ``create``.
    :raises WrongState: the cluster's status does not allow it, or another change came first.
    """
    allowed = ALLOWED[operation.kind]
    _move(connection, cluster, operation, 'UPDATE_IN_PROGRESS', allowed)
    before = store.find(connection, NodeGroup, cluster_id=cluster.uuid)
    operation.restore = {group.uuid: {'node_count': group.node_count}
                         for group in before if group.uuid in groups}
    for uuid, values in groups.items():
        store.update(connection, NodeGroup, {
            **values, 'status': 'UPDATE_IN_PROGRESS', 'status_reason': None}, uuid=uuid)
    after = store.find(connection, NodeGroup, cluster_id=cluster.uuid)
    _begin(connection, _reload(connection, cluster), after, operation, timeout_min)


def delete(connection: sa.Connection, cluster: Cluster, operation: Operation, *,
           timeout_min: int) -> bool:
    """A deletion: overtakes whatever else is open.

    :param timeout_min: as ``create``.
    :returns: False when the cluster is being deleted already, and nothing was written.
    """
    statuses = tuple(s for s in ALLOWED['delete'] if s != 'DELETE_IN_PROGRESS')
    try:
        _move(connection, cluster, operation, 'DELETE_IN_PROGRESS', statuses)
    except WrongState:
        return False
    claims.overtake(connection, cluster.uuid)
    store.update(connection, NodeGroup, {'status': 'DELETE_IN_PROGRESS', 'status_reason': None},
                 cluster_id=cluster.uuid)
    groups = store.find(connection, NodeGroup, cluster_id=cluster.uuid)
    _begin(connection, _reload(connection, cluster), groups, operation, timeout_min)
    return True


def _move(connection: sa.Connection, cluster: Cluster, operation: Operation, status: str,
          allowed: tuple[str, ...]) -> None:
    """Compare and swap of the status: of two racing changes one finds no row."""
    moved = store.update(connection, Cluster, {
        'status': status, 'status_reason': None, 'version': clusters.c.version + 1,
        'version_reason': operation.reason}, uuid=cluster.uuid, status=allowed)
    if not moved:
        current = store.get(connection, Cluster, cluster.uuid)
        running = store.rows(connection, Operation, cluster_id=cluster.uuid, state=OPEN)
        raise WrongState(cluster=cluster.uuid, status=current.status, kind=operation.kind,
                         operation=''.join(f'; operation {row.uuid} ({row.kind}) is running'
                                           for row in running if row.slot == RUN))


def _reload(connection: sa.Connection, cluster: Cluster) -> Cluster:
    return store.get(connection, Cluster, cluster.uuid)


def _begin(connection: sa.Connection, cluster: Cluster, groups: list[NodeGroup],
           operation: Operation, timeout_min: int) -> None:
    operation.cluster_version = cluster.version
    operation.slot = RUN
    store.insert(connection, _version(cluster, groups, operation))
    store.insert(connection, operation,
                 deadline_at=now(timeout_min * 60) if timeout_min else None)
    outbox.write(connection, operation, 'start')


def _version(cluster: Cluster, groups: list[NodeGroup], operation: Operation) -> ClusterVersion:
    """The journal's entry for what the operation makes of the cluster."""
    return ClusterVersion.new(
        cluster_id=cluster.uuid, version=cluster.version, reason=operation.reason,
        operation=operation.uuid, user_id=operation.user_id, request_id=operation.request_id,
        snapshot={'cluster': cluster.obj_to_primitive(),
                  'node_groups': [group.obj_to_primitive() for group in groups]})
