"""What a worker finds to do: operations to claim, and steps of its own that are due."""

from collections.abc import Sequence

import sqlalchemy as sa

from magnum_lite.db import claims
from magnum_lite.db.engine import Row, now
from magnum_lite.db.tables import clusters, drivers, operations
from magnum_lite.objects.operation import OPEN

# Workers lost during a step of an operation after which it is stepped apart from others like it.
SUSPECT = 1


def claimable(connection: sa.Connection, *, limit: int, suspect: bool = False) -> list[str]:
    """Uuids of operations that nobody works on, oldest first: wake or owner was lost.

    :param suspect: whether to find those that may take their workers down, or the others.
    """
    lost = operations.c.attempts
    query = (
        sa.select(operations.c.uuid)
        .where(claims.may_run(), lost >= SUSPECT if suspect else lost < SUSPECT)
        .order_by(operations.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def due(connection: sa.Connection, *, owner: str, limit: int) -> Sequence[Row]:
    """Rows (uuid, cluster_id, identity, attempts, plugin_name) of the owner's operations whose next
    step is due, or whose time is over; the name is that of the driver's entry point.

    Those that are RUNNING are listed too: the owner knows which of them a thread of its own is at,
    and the others are left from a step that broke off, for instance because the database was away.
    """
    c = operations.c
    query = (
        sa.select(c.uuid, c.cluster_id, c.identity, c.attempts, drivers.c.plugin_name)
        .join(clusters, clusters.c.uuid == c.cluster_id, isouter=True)
        .join(
            drivers,
            sa.and_(
                drivers.c.name == clusters.c.driver, drivers.c.version == clusters.c.driver_version
            ),
            isouter=True,
        )
        .where(
            c.owner == owner,
            sa.or_(
                c.state == 'RUNNING',
                sa.and_(c.state == 'WAITING', sa.or_(c.check_at <= now(), c.deadline_at <= now())),
            ),
        )
        .order_by(c.check_at)
        .limit(limit)
    )
    return connection.execute(query).all()


def owned(connection: sa.Connection, *, owner: str) -> int:
    """How many open operations the owner has."""
    query = sa.select(sa.func.count()).where(
        operations.c.owner == owner, operations.c.state.in_(OPEN)
    )
    return connection.execute(query).scalar_one()
