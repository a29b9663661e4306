"""Looks at the health of clusters: whose turn it is, and what a look may write.

A turn is one UPDATE whose row count decides, as with claims. It raises a fence, which the result
names: what a worker that was frozen has found never goes over what was found or reported later.
"""

import random
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import store
from magnum_lite.db.engine import Row, now
from magnum_lite.db.locks import by_id
from magnum_lite.db.tables import clusters, drivers, looks
from magnum_lite.objects import Cluster
from magnum_lite.objects.statuses import STATUSES

FORMED = [
    status
    for status in STATUSES
    if not status.startswith('DELETE') and status not in ('CREATE_IN_PROGRESS', 'CREATE_FAILED')
]
MOST = 1000  # clusters that get their first turn at once
# Two workers that began at the same moment drift apart.
_JITTER = (0.9, 1.1)


def without_turn(connection: sa.Connection) -> Sequence[str]:
    """Uuids of clusters that no worker has given a turn yet."""
    query = sa.select(clusters.c.uuid).outerjoin(looks, looks.c.cluster_id == clusters.c.uuid)
    return (
        connection.execute(
            query.where(clusters.c.id > 0, looks.c.id.is_(None)).order_by(clusters.c.id).limit(MOST)
        )
        .scalars()
        .all()
    )


def give_turns(connection: sa.Connection, *, every_s: float) -> None:
    """Let those clusters be looked at from now on; many are spread, one for each second.

    :param every_s: most seconds until the first turn.
    """
    uuids = without_turn(connection)
    if not uuids:
        return
    spread_s = min(every_s, len(uuids))
    moments = [{'uuid': uuid, 'in_s': spread_s * random.random()} for uuid in uuids]  # noqa: S311
    statement = looks.insert().values(
        cluster_id=sa.bindparam('uuid'), fence=0, check_at=now(sa.bindparam('in_s', type_=sa.Float))
    )
    try:
        connection.execute(statement, moments)
    except (db_exc.DBDuplicateEntry, db_exc.DBReferenceError) as error:
        raise db_exc.RetryRequest(error) from error  # another worker was first; or one is gone


def due(connection: sa.Connection, plugins: Collection[str], *, limit: int) -> Sequence[Row]:
    """Rows (id, cluster_id, fence) of clusters whose turn it is, the oldest first.

    Only of those that have formed, that something is known of to look at, and none that is being
    deleted.

    :param plugins: names of the drivers that can look.
    """
    t, c, d = looks.c, clusters.c, drivers.c
    query = (
        sa.select(t.id, t.cluster_id, t.fence)
        .join(clusters, c.uuid == t.cluster_id)
        .join(drivers, sa.and_(d.name == c.driver, d.version == c.driver_version))
        .where(
            t.check_at <= now(),
            c.api_address.is_not(None),
            c.status.in_(FORMED),
            d.plugin_name.in_(plugins),
        )
    )
    return connection.execute(query.order_by(t.check_at).limit(limit)).all()


def claim(connection: sa.Connection, row: Row, *, every_s: float) -> bool:
    """Whether a turn is the caller's, once; has to be alone in its transaction.

    :param row: of ``due``.
    :param every_s: seconds until the next turn.
    """
    pause_s = every_s * random.uniform(*_JITTER)  # noqa: S311 - no secret
    statement = by_id(looks.update(), looks).where(
        looks.c.id == row.id, looks.c.fence == row.fence, looks.c.check_at <= now()
    )
    return (
        connection.execute(statement.values(fence=row.fence + 1, check_at=now(pause_s))).rowcount
        == 1
    )


def found(
    connection: sa.Connection, row: Row, cluster: Cluster, status: str, reason: Mapping[str, str]
) -> bool:
    """Write down what a look has found; whether it was written.

    It is not where the turn is over, or where somebody said something else meanwhile. Once: what
    else the same look says later is left out.

    :param row: of ``due``, and claimed.
    :param cluster: as it was when the look began.
    """
    mine = by_id(looks.update(), looks).where(
        looks.c.id == row.id, looks.c.fence == row.fence + 1, looks.c.check_at > now()
    )
    if not connection.execute(mine.values(fence=row.fence + 2)).rowcount:
        return False
    health = {'health_status': status, 'health_status_reason': dict(reason)}
    return (
        store.update(
            connection,
            Cluster,
            health,
            uuid=cluster.uuid,
            status=FORMED,
            health_status=cluster.health_status,
            health_status_reason=cluster.health_status_reason,
        )
        == 1
    )


def reported(connection: sa.Connection, cluster_id: str, *, stands_s: float) -> None:
    """Let what somebody reports of a cluster's health stand; before it is written.

    :param stands_s: seconds in which no worker looks.
    """
    c = looks.c
    held = connection.execute(
        looks.update()
        .where(c.cluster_id == cluster_id)
        .values(fence=c.fence + 1, check_at=now(stands_s))
    ).rowcount
    if held:
        return
    turn = sa.select(clusters.c.uuid, sa.literal(1), now(stands_s)).where(
        clusters.c.uuid == cluster_id
    )
    try:
        connection.execute(looks.insert().from_select(['cluster_id', 'fence', 'check_at'], turn))
    except (db_exc.DBDuplicateEntry, db_exc.DBReferenceError) as error:  # as above
        raise db_exc.RetryRequest(error) from error
