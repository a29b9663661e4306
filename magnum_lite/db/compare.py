"""Comparing clusters at rest with the cloud: whose turn it is, what the rows say, what was found.

A project's turn is one UPDATE whose row count decides, as with claims.
"""

import random
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from magnum_lite.db import journal, ledger, members, settle, store
from magnum_lite.db.engine import Row, now
from magnum_lite.db.locks import by_id
from magnum_lite.db.tables import clusters, drivers, generations, nodegroups, operations, usages
from magnum_lite.db.usage import CLUSTER
from magnum_lite.driver_sdk.status import Status
from magnum_lite.objects import Cluster, NodeGroup
from magnum_lite.objects.statuses import STABLE, STATUSES

_AT_REST = [
    status
    for status in STATUSES
    if not status.endswith('_IN_PROGRESS') and not status.startswith('DELETE')
]
_AT_ONCE = 10  # projects among which workers choose, so that they seldom choose the same
_COLUMNS = (
    'uuid',
    'name',
    'version',
    'status',
    'identity',
    'health_status',
    'health_status_reason',
)


def due(connection: sa.Connection) -> Sequence[Row]:
    """Some rows (id, project_id, compare_at) of projects whose turn it is, the oldest first."""
    c = usages.c
    query = sa.select(c.id, c.project_id, c.compare_at).where(c.resource == CLUSTER, _is_due())
    return connection.execute(query.order_by(c.compare_at).limit(_AT_ONCE)).all()


def claim(connection: sa.Connection, row: Row, *, every_s: float) -> bool:
    """Whether a project is the caller's to compare, once; has to be alone in its transaction.

    One that was never compared is not compared now: its first turn comes at a random moment, so
    that projects that came together are spread.

    :param row: of ``due``.
    :param every_s: seconds until its next turn.
    """
    is_first = row.compare_at is None
    pause_s = every_s * random.random() if is_first else every_s  # noqa: S311 - no secret
    statement = by_id(usages.update(), usages).where(usages.c.id == row.id, _is_due())
    taken = connection.execute(statement.values(compare_at=now(pause_s))).rowcount
    return taken == 1 and not is_first


def at_rest(
    connection: sa.Connection, project_id: str
) -> tuple[Sequence[Row], Mapping[str, Mapping[str, str | None]]]:
    """The project's clusters on which no operation is at work, and ``{cluster: {name: digest}}`` of
    the parts that they should have; see ``ledger.left``, None where no change is done yet."""
    mine = sa.and_(clusters.c.project_id == project_id, clusters.c.status.in_(_AT_REST))
    c, d = clusters.c, drivers.c
    rows = connection.execute(
        sa.select(*[c[name] for name in _COLUMNS], d.plugin_name)
        .join(drivers, sa.and_(d.name == c.driver, d.version == c.driver_version), isouter=True)
        .where(mine)
    ).all()
    parts: dict[str, dict[str, str | None]] = {row.uuid: {} for row in rows}
    if rows:
        for entry in ledger.parts_of(connection, mine):
            parts.setdefault(entry.cluster_id, {})[entry.name] = entry.external_id
    return rows, parts


def last_done(connection: sa.Connection, cluster_id: str) -> str | None:
    """Uuid of the cluster's newest operation, if that one is done."""
    query = (
        sa.select(operations.c.uuid, operations.c.state)
        .where(operations.c.cluster_id == cluster_id)
        .order_by(operations.c.id.desc())
        .limit(1)
    )
    newest = connection.execute(query).first()
    return newest.uuid if newest and newest.state == 'DONE' else None


def groups(connection: sa.Connection, project_id: str) -> Sequence[Row]:
    """Rows (cluster_id, uuid, name, node_count, plugin_name) of the project's node groups at rest
    that did not fail; not those that have nodes of another generation too, which servers do not
    tell of."""
    g, c, d = nodegroups.c, clusters.c, drivers.c
    query = (
        sa.select(g.cluster_id, g.uuid, g.name, g.node_count, d.plugin_name)
        .join(clusters, c.uuid == g.cluster_id)
        .join(drivers, sa.and_(d.name == c.driver, d.version == c.driver_version))
    )
    return connection.execute(
        query.where(
            c.project_id == project_id,
            c.status.in_(_AT_REST),
            g.status.in_(STABLE),
            ~sa.exists().where(generations.c.node_group == g.uuid),
        )
    ).all()


def found(
    connection: sa.Connection,
    cluster: Row,
    status: str | None,
    reason: Mapping[str, str],
    text: str,
) -> bool:
    """Write down the health of a cluster, and why it changed, unless a change came first, or
    somebody said something else of it meanwhile.

    :param cluster: of ``at_rest``.
    :returns: whether it was written.
    """
    written = store.update(
        connection,
        Cluster,
        {'health_status': status, 'health_status_reason': dict(reason)},
        uuid=cluster.uuid,
        version=cluster.version,
        status=cluster.status,
        health_status=cluster.health_status,
        health_status_reason=cluster.health_status_reason,
    )
    if written:
        journal.note_cluster(connection, cluster.uuid, journal.short(text))
    return bool(written)


def came_true(
    connection: sa.Connection,
    cluster: Row,
    status: Status,
    groups: Sequence[str],
    digests: Mapping[str, str],
    title: str,
) -> None:
    """Write down what is there of a cluster whose operation failed before the cloud was ready,
    unless a change came first.

    :param cluster: of ``at_rest``.
    :param groups: uuids of the node groups that are there as their rows want them.
    :param digests: as ``ledger.left``.
    :param title: as ``Backend.title``.
    """
    held = store.update(
        connection,
        Cluster,
        {'status': cluster.status},
        uuid=cluster.uuid,
        version=cluster.version,
        status=cluster.status,
    )
    if not held:
        return
    settle.observe(connection, cluster.uuid, status)
    members.note(
        connection,
        cluster.uuid,
        status,
        version=cluster.version if status.state == 'COMPLETE' else None,
    )
    ledger.left(connection, cluster.uuid, digests)
    changed = store.update(
        connection,
        NodeGroup,
        {'status': 'CREATE_COMPLETE', 'status_reason': None},
        cluster_id=cluster.uuid,
        uuid=groups,
        status='CREATE_FAILED',
    )
    text = f'{title} went on after the operation had failed, and completed {", ".join(digests)}'
    if (changed or cluster.status == 'CREATE_FAILED') and status.state == 'COMPLETE':
        text += _complete(connection, cluster)
    journal.note_cluster(connection, cluster.uuid, journal.short(text))


def _complete(connection: sa.Connection, cluster: Row) -> str:
    """Let a cluster that failed be complete if all of its groups are; what to tell of it."""
    rows = store.rows(connection, NodeGroup, 'status', cluster_id=cluster.uuid)
    if any(row.status not in STABLE for row in rows):
        return ''
    now_is = cluster.status.replace('FAILED', 'COMPLETE')
    store.update(connection, Cluster, {'status': now_is, 'status_reason': None}, uuid=cluster.uuid)
    return f': the cluster is {now_is}'


def _is_due() -> sa.ColumnElement[bool]:
    return sa.or_(usages.c.compare_at.is_(None), usages.c.compare_at <= now())
