"""What one process does for all: it holds a lease, which others take over once it has run out."""

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db.engine import now
from magnum_lite.db.tables import leases

_GONE = -3600  # seconds from now


def take(connection: sa.Connection, name: str, *, owner: str, lease_s: float) -> bool:
    """Take or renew a lease; whether it is the owner's now.

    One UPDATE decides, so it holds on Galera too.
    """
    c = leases.c
    free = sa.or_(c.owner == owner, c.lease_until < now())
    taken = connection.execute(
        leases.update().where(c.name == name, free).values(owner=owner, lease_until=now(lease_s))
    ).rowcount
    if taken or connection.execute(sa.select(c.id).where(c.name == name)).first():
        return bool(taken)
    try:
        connection.execute(leases.insert().values(name=name, owner=owner, lease_until=now(lease_s)))
    except db_exc.DBDuplicateEntry as error:  # another one was first
        raise db_exc.RetryRequest(error) from error
    return True


def give(connection: sa.Connection, name: str, *, owner: str) -> None:
    """Let others have the lease at once, if it is the owner's."""
    connection.execute(
        leases.update()
        .where(leases.c.name == name, leases.c.owner == owner)
        .values(lease_until=now(_GONE))
    )
