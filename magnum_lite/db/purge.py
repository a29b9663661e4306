"""Dropping history that is old: ended operations with their journal, notifications, the ledger.

What is, stays: clusters and all that is open. Of each cluster that exists the newest operation
stays too, however old, with as much of its journal as is shown: who signs certificates, or enrols
servers, adds to it without an operation.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from magnum_lite.db import journal, members
from magnum_lite.db.engine import Database, Row, Select
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import cluster_versions, clusters, ledger, operations, outbox, steps
from magnum_lite.objects.operation import OPEN

_ENDED = sa.select(operations.c.id, operations.c.uuid, operations.c.cluster_id).where(
    operations.c.state.not_in(OPEN)
)
BATCH = 200  # operations, or rows of other tables, that one transaction drops


# The last row id looked at, and what goes; the rows dropped by table.
_Find = Callable[..., tuple[int, Sequence[Any]]]
_Drop = Callable[..., Counter[str]]


def old(
    database: Database, *, days: int, dry: bool = False, size: int = BATCH
) -> Iterator[Counter[str]]:
    """Drop what ended more than ``days`` days ago, one transaction at a time.

    It may be stopped at any moment and run again, also while the service works.

    :param dry: drop nothing.
    :param size: as ``BATCH``.
    :returns: after each transaction ``{table: rows}`` of what it dropped, or would have.
    """
    before = utcnow() - datetime.timedelta(days=days)
    run = database.write
    kinds: tuple[tuple[_Find, _Drop], ...] = (
        (_ended, _drop_operations),
        (_unseen, _drop_steps),
        (_sent, _drop_notifications),
        (_closed, _drop_entries),
    )
    for find, drop in kinds:
        after = 0
        while True:
            with database.read() as connection:
                last, found = find(connection, before, after, size)
            if last == after:
                break
            after = last
            if dry:
                with database.read() as connection:
                    yield drop(connection, found, dry=True)
            else:
                yield run(drop, found)


def sent(connection: sa.Connection, *, days: int, size: int = BATCH) -> int:
    """Drop notifications that were sent more than ``days`` days ago, the oldest first.

    :returns: how many went: less than ``size`` when no more are there.
    """
    before = utcnow() - datetime.timedelta(days=days)
    query = sa.select(outbox.c.id).where(outbox.c.sent_at < before)
    ids = connection.execute(query.order_by(outbox.c.sent_at).limit(size)).scalars().all()
    return _drop(connection, outbox.c.id, ids, False) if ids else 0


def _ended(
    connection: sa.Connection, before: datetime.datetime, after: int, size: int
) -> tuple[int, Sequence[str]]:
    """The last row id looked at, and the uuids of the operations that go."""
    query = _ENDED.where(operations.c.id > after, operations.c.ended_at < before)
    rows = connection.execute(query.order_by(operations.c.id).limit(size)).all()
    return rows[-1].id if rows else after, _not_newest(connection, rows)


def _not_newest(connection: sa.Connection, rows: Sequence[Row]) -> list[str]:
    """Uuids of those operations that are not the newest of a cluster that exists."""
    newest = (
        sa.select(sa.func.max(operations.c.id))
        .join(clusters, clusters.c.uuid == operations.c.cluster_id)
        .where(clusters.c.uuid.in_({row.cluster_id for row in rows}))
        .group_by(clusters.c.uuid)
    )
    kept = set(connection.execute(newest).scalars()) if rows else set()
    return [row.uuid for row in rows if row.id not in kept]


def _unseen(
    connection: sa.Connection, before: datetime.datetime, after: int, size: int
) -> tuple[int, Sequence[int]]:
    """Steps that no document shows any more, and that do not go with their operation."""
    query = sa.select(steps.c.id, steps.c.operation_id).where(
        steps.c.id > after, steps.c.created_at < before
    )
    rows = connection.execute(query.order_by(steps.c.id).limit(size)).all()
    uuids = {row.operation_id for row in rows}
    going = (
        connection.execute(
            _ENDED.where(operations.c.uuid.in_(uuids), operations.c.ended_at < before)
        ).all()
        if uuids
        else []
    )
    shown = {
        uuid: journal.first_shown(connection, uuid)
        for uuid in uuids.difference(_not_newest(connection, going))
    }
    return rows[-1].id if rows else after, [
        row.id for row in rows if row.id < shown.get(row.operation_id, 0)
    ]


def _sent(
    connection: sa.Connection, before: datetime.datetime, after: int, size: int
) -> tuple[int, Sequence[int]]:
    query = sa.select(outbox.c.id).where(outbox.c.id > after, outbox.c.sent_at < before)
    return _ids(connection, query.order_by(outbox.c.id).limit(size), after)


def _closed(
    connection: sa.Connection, before: datetime.datetime, after: int, size: int
) -> tuple[int, Sequence[int]]:
    exists = sa.exists().where(clusters.c.uuid == ledger.c.cluster_id)
    # Of a cluster that exists, nodes that are gone: they were closed after they had come.
    is_gone = sa.and_(
        ledger.c.kind.startswith(members.OF_GROUP), ledger.c.closed_at > ledger.c.created_at
    )
    query = sa.select(ledger.c.id).where(
        ledger.c.id > after, ledger.c.closed_at < before, sa.or_(~exists, is_gone)
    )
    return _ids(connection, query.order_by(ledger.c.id).limit(size), after)


def _ids(connection: sa.Connection, query: Select, after: int) -> tuple[int, Sequence[int]]:
    found = connection.execute(query).scalars().all()
    return found[-1] if found else after, found


def _drop_operations(
    connection: sa.Connection, uuids: Sequence[str], *, dry: bool = False
) -> Counter[str]:
    return Counter(
        {
            column.table.name: _drop(connection, column, uuids, dry)
            for column in (steps.c.operation_id, cluster_versions.c.operation, operations.c.uuid)
        }
    )


def _drop_steps(
    connection: sa.Connection, ids: Sequence[int], *, dry: bool = False
) -> Counter[str]:
    return Counter({'steps': _drop(connection, steps.c.id, ids, dry)})


def _drop_notifications(
    connection: sa.Connection, ids: Sequence[int], *, dry: bool = False
) -> Counter[str]:
    return Counter({'outbox': _drop(connection, outbox.c.id, ids, dry)})


def _drop_entries(
    connection: sa.Connection, ids: Sequence[int], *, dry: bool = False
) -> Counter[str]:
    return Counter({'ledger': _drop(connection, ledger.c.id, ids, dry)})


def _drop(
    connection: sa.Connection, column: sa.Column[Any], values: Sequence[str | int], dry: bool
) -> int:
    where = column.in_(values)
    if dry:
        query = sa.select(sa.func.count()).select_from(column.table).where(where)
        return int(connection.execute(query).scalar_one())
    return connection.execute(column.table.delete().where(where)).rowcount
