"""Comparing clusters at rest with the cloud: whose turn it is, what the rows say, what was found.

A project's turn is one UPDATE whose row count decides, as with claims.
"""

import random
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from magnum_lite.db import journal, ledger, store
from magnum_lite.db.engine import now
from magnum_lite.db.locks import by_id
from magnum_lite.db.tables import clusters, usages
from magnum_lite.db.usage import CLUSTER
from magnum_lite.objects import Cluster
from magnum_lite.objects.status import STATUSES

_AT_REST = [status for status in STATUSES
            if not status.endswith('_IN_PROGRESS') and not status.startswith('DELETE')]
_AT_ONCE = 10       # projects among which workers choose, so that they seldom choose the same
_COLUMNS = ('uuid', 'name', 'version', 'status', 'identity', 'health_status',
            'health_status_reason')


def due(connection: sa.Connection) -> Sequence[sa.Row]:
    """Some rows (id, project_id, compare_at) of projects whose turn it is, the oldest first."""
    c = usages.c
    query = sa.select(c.id, c.project_id, c.compare_at).where(c.resource == CLUSTER, _is_due())
    return connection.execute(query.order_by(c.compare_at).limit(_AT_ONCE)).all()


def claim(connection: sa.Connection, row: sa.Row, *, every_s: float) -> bool:
    """Whether a project is the caller's to compare, once; has to be alone in its transaction.

    One that was never compared is not compared now: its first turn comes at a random moment, so
    that projects that came together are spread.

    :param row: of ``due``.
    :param every_s: seconds until its next turn.
    """
    is_first = row.compare_at is None
    pause_s = every_s * random.random() if is_first else every_s    # noqa: S311 - no secret
    statement = by_id(usages.update(), usages).where(usages.c.id == row.id, _is_due())
    taken = connection.execute(statement.values(compare_at=now(pause_s))).rowcount
    return taken == 1 and not is_first


def at_rest(connection: sa.Connection, project_id: str
            ) -> tuple[Sequence[sa.Row], Mapping[str, Mapping[str, str | None]]]:
    """The project's clusters on which no operation is at work, and ``{cluster: {name: digest}}`` of
    the stacks that they should have; see ``ledger.left``, None where no change is done yet."""
    mine = sa.and_(clusters.c.project_id == project_id, clusters.c.status.in_(_AT_REST))
    rows = connection.execute(
        sa.select(*[clusters.c[name] for name in _COLUMNS]).where(mine)).all()
    stacks: dict[str, dict[str, str | None]] = {row.uuid: {} for row in rows}
    if rows:
        for entry in ledger.stacks_of(connection, mine):
            stacks.setdefault(entry.cluster_id, {})[entry.name] = entry.external_id
    return rows, stacks


def found(connection: sa.Connection, cluster: sa.Row, status: str | None,
          reason: Mapping[str, str], text: str) -> bool:
    """Write down the health of a cluster, and why it changed, unless a change came first.

    :param cluster: of ``at_rest``.
    :returns: whether it was written.
    """
    written = store.update(
        connection, Cluster, {'health_status': status, 'health_status_reason': dict(reason)},
        uuid=cluster.uuid, version=cluster.version, status=cluster.status)
    if written:
        journal.note_cluster(connection, cluster.uuid, journal.short(text))
    return bool(written)


def _is_due() -> sa.ColumnElement[bool]:
    return sa.or_(usages.c.compare_at.is_(None), usages.c.compare_at <= now())
