"""Sums over clusters."""

import sqlalchemy as sa

from magnum_lite.db.store import Scope
from magnum_lite.db.tables import clusters, nodegroups
from magnum_lite.objects import Cluster, NodeGroup


def totals(connection: sa.Connection, scope: Scope) -> tuple[int, int]:
    """The number of clusters, and of the nodes of all their groups, control plane included."""
    count = sa.select(sa.func.count()).select_from(clusters).where(scope.condition(Cluster))
    nodes = sa.select(sa.func.coalesce(sa.func.sum(nodegroups.c.node_count), 0)).where(
        scope.condition(NodeGroup)
    )
    row = connection.execute(sa.select(count.scalar_subquery(), nodes.scalar_subquery())).one()
    return int(row[0]), int(row[1])
