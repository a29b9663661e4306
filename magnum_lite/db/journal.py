"""The journal: steps of operations, versions of clusters."""

from collections.abc import Sequence

import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.db.tables import steps
from magnum_lite.objects import Cluster, ClusterVersion, NodeGroup, Operation


def note(connection: sa.Connection, operation: Operation, text: str) -> None:
    """Add a step to the operation's journal."""
    connection.execute(steps.insert().values(operation_id=operation.uuid, fence=operation.fence,
                                             text=text, created_at=store.utcnow()))


def steps_of(connection: sa.Connection, operation_id: str) -> Sequence[sa.Row]:
    """Rows (text, fence, created_at), oldest first."""
    query = sa.select(steps).where(steps.c.operation_id == operation_id).order_by(steps.c.id)
    return connection.execute(query).all()


def version(cluster: Cluster, groups: Sequence[NodeGroup], operation: Operation) -> ClusterVersion:
    """The journal's entry for what the operation makes of the cluster."""
    return ClusterVersion.new(
        cluster_id=cluster.uuid, version=cluster.version, reason=operation.reason,
        operation=operation.uuid, user_id=operation.user_id, request_id=operation.request_id,
        snapshot={'cluster': cluster.obj_to_primitive(),
                  'node_groups': [group.obj_to_primitive() for group in groups]})
