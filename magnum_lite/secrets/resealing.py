"""Sealing what is in the database with the first key, while others read and write it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from magnum_lite.db import engine
from magnum_lite.db.engine import Database
from magnum_lite.db.tables import secrets
from magnum_lite.secrets.keyring import Keyring, Unreadable
from magnum_lite.secrets.sealing import PREFIX, Row, is_bound

BATCH = 100


@dataclass(frozen=True)
class Progress:
    """What was done so far.

    :ivar sealed: secrets that have the first key since.
    :ivar unreadable: ``cluster/name`` of those that no key opens.
    """

    sealed: int
    unreadable: tuple[str, ...]


def counts(connection: sa.Connection) -> dict[str, int]:
    """``{prefix: number of secrets}``; the prefix names the key, '' stands for unbound ones."""
    prefix = sa.func.substr(secrets.c.sealed, 1, PREFIX)
    found: dict[str, int] = {}
    for text, number in connection.execute(sa.select(prefix, sa.func.count()).group_by(prefix)):
        key = text if is_bound(text) else ''
        found[key] = found.get(key, 0) + number
    return found


def remaining(connection: sa.Connection, keyring: Keyring) -> int:
    """How many secrets do not have the first key.

    :raises Unreadable: there is no key.
    """
    first = keyring.keys()[0].prefix
    return sum(number for prefix, number in counts(connection).items() if prefix != first)


def reseal(database: Database, keyring: Keyring) -> Iterator[Progress]:
    """Seal all that do not have the first key, a batch at a time; may end at any moment and begin
    again.

    A secret that somebody replaced or deleted meanwhile is theirs: nothing is written over it.

    :raises Unreadable: there is no key.
    """
    last, done, unreadable = 0, 0, []
    while rows := _batch(database, last, keyring.keys()[0].prefix):
        fresh: dict[engine.Row, str] = {}
        for row in rows:
            bound_to = Row((row.ref, row.cluster_id, row.name))
            try:
                fresh[row] = keyring.keys()[0].seal(keyring.open(row.sealed, bound_to), bound_to)
            except Unreadable:
                unreadable.append(f'{row.cluster_id}/{row.name}')
        done += database.write(_write, fresh)
        last = rows[-1].id
        yield Progress(done, tuple(unreadable))


def _batch(database: Database, last: int, prefix: str) -> Sequence[engine.Row]:
    query = (
        sa.select(secrets)
        .where(secrets.c.id > last, sa.not_(secrets.c.sealed.startswith(prefix)))
        .order_by(secrets.c.id)
        .limit(BATCH)
    )
    with database.read() as connection:
        return connection.execute(query).all()


def _write(connection: sa.Connection, fresh: dict[engine.Row, str]) -> int:
    return sum(
        connection.execute(
            secrets.update()
            .where(secrets.c.id == row.id, secrets.c.sealed == row.sealed)
            .values(sealed=sealed)
        ).rowcount
        for row, sealed in fresh.items()
    )
