"""The notifications that ``operations.tell`` wrote, for who sends them.

One worker at a time sends, so that those of a cluster leave in the order of its changes: whoever
writes one holds the row of the cluster, so their ids have that order.
"""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from magnum_lite.db import leases
from magnum_lite.db.engine import Row
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import outbox

LEASE = 'outbox'


def unsent(connection: sa.Connection, *, limit: int, after: int = 0) -> Sequence[Row]:
    """Rows (id, event_type, payload) in the order of the changes.

    :param after: id of the last row looked at.
    """
    query = sa.select(outbox).where(outbox.c.sent_at.is_(None), outbox.c.id > after)
    return connection.execute(query.order_by(outbox.c.id).limit(limit)).all()


def sent(connection: sa.Connection, ids: Collection[int]) -> None:
    """Forget to send these again."""
    if ids:
        connection.execute(outbox.update().where(outbox.c.id.in_(ids)).values(sent_at=utcnow()))


def hold(connection: sa.Connection, ids: Collection[int], *, owner: str, lease_s: float) -> bool:
    """Mark what was sent, and be the only one to send for so many seconds more.

    What was sent is marked in any case: the broker has it.

    :returns: False while another worker sends.
    """
    held = leases.take(connection, LEASE, owner=owner, lease_s=lease_s)
    sent(connection, ids)
    return held


def release(connection: sa.Connection, ids: Collection[int], *, owner: str) -> None:
    """Mark what was sent, and let another worker send."""
    leases.give(connection, LEASE, owner=owner)
    sent(connection, ids)
