"""How many of a resource a project has, reserved in the transaction that makes one."""

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db.tables import quotas, usages
from magnum_lite.exceptions import QuotaExceeded

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
