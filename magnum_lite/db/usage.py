"""How much there is of what has a limit, looked at in the transaction that makes more of it."""

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db.tables import nodegroups, quotas, usages
from magnum_lite.exceptions import Invalid, QuotaExceeded
from magnum_lite.objects import Cluster

CLUSTER = 'Cluster'


def reserve(connection: sa.Connection, project_id: str, *, default_limit: int) -> None:
    """Take one cluster of the project's quota: a conditional UPDATE, since a count races.

    :param default_limit: the limit where the project has no quota of its own.
    :raises QuotaExceeded: all are taken.
    """
    limit = sa.func.coalesce(
        sa.select(quotas.c.hard_limit).where(quotas.c.project_id == project_id,
                                             quotas.c.resource == CLUSTER).scalar_subquery(),
        default_limit)
    row = sa.and_(usages.c.project_id == project_id, usages.c.resource == CLUSTER)
    taken = connection.execute(usages.update().where(row, usages.c.in_use < limit)
                               .values(in_use=usages.c.in_use + 1)).rowcount
    if taken:
        return
    known, allowed = connection.execute(sa.select(
        sa.select(usages.c.in_use).where(row).scalar_subquery(), limit)).one()
    if known is not None or allowed < 1:
        raise QuotaExceeded(limit=allowed)
    try:
        connection.execute(usages.insert().values(project_id=project_id, resource=CLUSTER,
                                                  in_use=1))
    except db_exc.DBDuplicateEntry as error:        # another request made the row: count again
        raise db_exc.RetryRequest(error) from error


def release(connection: sa.Connection, project_id: str) -> None:
    """Give one cluster back."""
    connection.execute(usages.update().where(
        usages.c.project_id == project_id, usages.c.resource == CLUSTER, usages.c.in_use > 0
    ).values(in_use=usages.c.in_use - 1))


def check_nodes(nodes: int, attribute: str, *, limit: int) -> None:
    """Refuse a cluster with too many nodes.

    :param nodes: of all its groups together.
    :param attribute: what the user asked for them by.
    :raises Invalid: there would be more than ``limit``, ``[cluster] max_nodes``.
    """
    if nodes > limit:
        raise Invalid(path=attribute, reason=f'the cluster would have {nodes} nodes in all, at '
                                             f'most {limit} are accepted ([cluster] max_nodes)')


def check_growth(connection: sa.Connection, cluster: Cluster, attribute: str, *, added: int,
                 limit: int) -> None:
    """Refuse a change that leaves a cluster with too many nodes; last in its transaction, which
    has written the cluster's row, so that no other change grows it meanwhile.

    :param added: how many nodes the change adds; a cluster that does not grow is never refused.
    :raises Invalid: as ``check_nodes``.
    """
    if added > 0:
        query = sa.select(sa.func.sum(nodegroups.c.node_count)).where(
            nodegroups.c.cluster_id == cluster.uuid)
        check_nodes(int(connection.execute(query).scalar_one()), attribute, limit=limit)
