"""What exists outside for a cluster: written before it is made, closed when it is seen gone."""

import datetime
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from magnum_lite.db.engine import Row, now
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import clusters, ledger

PART = 'heat-stack'  # of any backend: the word of release 1.0, whose workers read it too
LATE = 'unanswered-call'
# Named by their marks, see delegation/form.py.
TRUST = 'trust'
APPLICATION_CREDENTIAL = 'application-credential'
_LONG_AGO = datetime.datetime(1970, 1, 2)  # noqa: DTZ001 - columns hold UTC


def expect(connection: sa.Connection, cluster_id: str, kind: str, names: Iterable[str]) -> bool:
    """Note that things of these names are about to be made; those noted already are left.

    :returns: whether nothing was noted before: then nothing of the kind can exist yet.
    """
    known = {
        row.name: row
        for row in connection.execute(
            sa.select(ledger).where(ledger.c.cluster_id == cluster_id, ledger.c.kind == kind)
        )
    }
    fresh = [name for name in names if name not in known]
    again = [name for name in names if name in known and known[name].closed_at]
    if fresh:
        connection.execute(
            ledger.insert().values(created_at=now()),
            [{'cluster_id': cluster_id, 'kind': kind, 'name': name} for name in fresh],
        )
    if again:
        connection.execute(
            ledger.update()
            .where(
                ledger.c.cluster_id == cluster_id, ledger.c.kind == kind, ledger.c.name.in_(again)
            )
            .values(closed_at=None)
        )
    return not known


def open_entries(connection: sa.Connection, cluster_id: str) -> Sequence[Row]:
    """Rows (kind, name, external_id) of what may still exist."""
    query = sa.select(ledger).where(ledger.c.cluster_id == cluster_id, ledger.c.closed_at.is_(None))
    return connection.execute(query.order_by(ledger.c.id)).all()


def parts_of(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> Sequence[Row]:
    """Rows (cluster_id, name, external_id) of the parts that some clusters should have.

    :param mine: which clusters.
    """
    query = sa.select(ledger.c.cluster_id, ledger.c.name, ledger.c.external_id).join(
        clusters, clusters.c.uuid == ledger.c.cluster_id
    )
    return connection.execute(
        query.where(mine, ledger.c.kind == PART, ledger.c.closed_at.is_(None)).order_by(ledger.c.id)
    ).all()


def close(connection: sa.Connection, cluster_id: str, kind: str, names: Iterable[str]) -> None:
    """Note that things of these names are gone."""
    connection.execute(
        ledger.update()
        .where(
            ledger.c.cluster_id == cluster_id, ledger.c.kind == kind, ledger.c.name.in_(list(names))
        )
        .values(closed_at=utcnow())
    )


def identify(
    connection: sa.Connection, cluster_id: str, kind: str, name: str, external_id: str
) -> None:
    """Note the id of a thing that was made; the cluster answers for it from now on."""
    connection.execute(
        ledger.update()
        .where(ledger.c.cluster_id == cluster_id, ledger.c.kind == kind, ledger.c.name == name)
        .values(external_id=external_id)
    )


def left(connection: sa.Connection, cluster_id: str, digests: Mapping[str, str]) -> None:
    """Note as what a change that is done has left its parts; it stands in ``external_id``.

    :param digests: ``{name: digest in its plan}``.
    """
    connection.execute(
        ledger.update()
        .where(ledger.c.cluster_id == cluster_id, ledger.c.kind == PART, ledger.c.name.in_(digests))
        .values(external_id=sa.case(dict(digests), value=ledger.c.name))
    )


def abandon(connection: sa.Connection, cluster_id: str, kind: str, name: str) -> bool:
    """Leave what was made for a request to the look for strays, from now on.

    The row is changed, not only read: so a transaction that would give it to a cluster, and of
    which nobody knows how it ends, has ended before, or cannot take place any more.

    :returns: False when a cluster got it.
    """
    return bool(
        connection.execute(
            ledger.update()
            .where(
                ledger.c.cluster_id == cluster_id,
                ledger.c.kind == kind,
                ledger.c.name == name,
                ledger.c.external_id.is_(None),
            )
            .values(created_at=_LONG_AGO)
        ).rowcount
    )


def late(connection: sa.Connection, cluster_id: str) -> None:
    """Note that a call which makes something ended without an answer just now.

    Fenced by the cluster's row: a superseded run notes it too, and nobody for a cluster that is
    gone.
    """
    exists = (
        clusters.update().where(clusters.c.uuid == cluster_id).values(version=clusters.c.version)
    )
    if connection.execute(exists).rowcount:
        connection.execute(
            ledger.delete().where(ledger.c.cluster_id == cluster_id, ledger.c.kind == LATE)
        )
        connection.execute(
            ledger.insert().values(cluster_id=cluster_id, kind=LATE, name=LATE, created_at=now())
        )


def is_late(connection: sa.Connection, cluster_id: str, *, late_s: float) -> bool:
    """Whether a call that was not answered may still take effect.

    :param late_s: seconds after which it cannot any more.
    """
    query = sa.select(ledger.c.id).where(
        ledger.c.cluster_id == cluster_id,
        ledger.c.kind == LATE,
        ledger.c.closed_at.is_(None),
        ledger.c.created_at > now(-late_s),
    )
    return connection.execute(query).first() is not None


def strays(connection: sa.Connection, kind: str, *, older_s: float) -> Sequence[Row]:
    """Rows (cluster_id, name) of what was noted so long ago and never belonged to a cluster: the
    request that made it broke off."""
    query = sa.select(ledger.c.cluster_id, ledger.c.name).where(
        ledger.c.kind == kind,
        ledger.c.external_id.is_(None),
        ledger.c.closed_at.is_(None),
        ledger.c.created_at < now(-older_s),
    )
    return connection.execute(query.order_by(ledger.c.id)).all()
