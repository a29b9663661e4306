"""Which nodes a group has, and which it had: noted when a change has ended.

So a node that is gone is told from one that never was, without asking the cloud. They are rows of
the ledger, one for each node by its server id, with its member index in ``external_id``. They are
closed from the start: nothing keeps a cluster whose nodes are gone with their stacks, and a
conductor of release 1.0 looks at open ones. One that is gone is closed again, later.
"""

from collections.abc import Collection

import sqlalchemy as sa

from magnum_lite.db.engine import Row
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import ledger
from magnum_lite.driver_sdk.status import Status
from magnum_lite.objects import Cluster

OF_GROUP = 'member '  # begins the kind of a row; the uuid of the group follows
# Of which version of the cluster the nodes of a group are known; older ones are not enough.
_KNOWN = 'members'


def note(
    connection: sa.Connection, cluster_id: str, status: Status, *, version: int | None = None
) -> None:
    """Note the nodes that are there by now.

    :param version: of the cluster, when no change is under way: these are all nodes then.
    """
    rows = connection.execute(
        sa.select(ledger).where(
            ledger.c.cluster_id == cluster_id,
            sa.or_(ledger.c.kind.startswith(OF_GROUP), ledger.c.kind == _KNOWN),
        )
    ).all()
    known = {(row.kind, row.name): row for row in rows if row.kind != _KNOWN}
    there = {
        (OF_GROUP + group, server): index
        for group, found in status.group_members.items()
        for index, server in found.items()
    }
    _add(connection, cluster_id, [(*key, there[key]) for key in there if key not in known])
    gone = [row.id for key, row in known.items() if key not in there and not _is_gone(row)]
    back = [row.id for key, row in known.items() if key in there and _is_gone(row)]
    _close(connection, gone, utcnow())
    _close(connection, back, ledger.c.created_at)
    # Of a group that is gone nobody asks; of one that is not shown now, nothing is known.
    marked = {row.name: row.id for row in rows if row.kind == _KNOWN}
    hidden = [marked[group] for group in marked.keys() - status.group_members.keys()]
    if hidden:
        connection.execute(ledger.delete().where(ledger.c.id.in_(hidden)))
    if version is not None:
        whole = {
            group for group in status.group_members if status.group_states.get(group) == 'COMPLETE'
        }
        _know(connection, cluster_id, whole, set(marked), version)


def name(connection: sa.Connection, cluster_id: str, group: str, nodes: Collection[str]) -> None:
    """Note nodes that somebody named and that are there: perhaps they are gone before the next
    ``note``."""
    fresh = set(nodes) - had(connection, cluster_id, group, nodes)
    _add(connection, cluster_id, [(OF_GROUP + group, node, None) for node in fresh])


def had(connection: sa.Connection, cluster_id: str, group: str, nodes: Collection[str]) -> set[str]:
    """Those of some nodes that a group has or had.

    :param nodes: ids of servers, or member indexes as text.
    """
    found = connection.execute(
        sa.select(ledger.c.name, ledger.c.external_id).where(
            ledger.c.cluster_id == cluster_id,
            ledger.c.kind == OF_GROUP + group,
            sa.or_(ledger.c.name.in_(nodes), ledger.c.external_id.in_(nodes)),
        )
    ).all()
    return {text for row in found for text in row} & set(nodes)


def never(
    connection: sa.Connection, cluster: Cluster, group: str, nodes: Collection[str]
) -> list[str]:
    """Those of some nodes that a group never had; none while a change is under way, or where the
    driver does not say which nodes there are: nobody knows then."""
    if not nodes:
        return []
    known = connection.execute(
        sa.select(ledger.c.id).where(
            ledger.c.cluster_id == cluster.uuid,
            ledger.c.kind == _KNOWN,
            ledger.c.name == group,
            ledger.c.external_id == str(cluster.version),
        )
    ).first()
    if not known:
        return []
    found = had(connection, cluster.uuid, group, nodes)
    return [node for node in nodes if node not in found]


def _is_gone(row: Row) -> bool:
    return bool(row.closed_at != row.created_at)


def _add(
    connection: sa.Connection, cluster_id: str, rows: list[tuple[str, str, str | None]]
) -> None:
    if rows:
        moment = utcnow()
        connection.execute(
            ledger.insert(),
            [
                {
                    'cluster_id': cluster_id,
                    'kind': kind,
                    'name': server,
                    'external_id': index,
                    'created_at': moment,
                    'closed_at': moment,
                }
                for kind, server, index in rows
            ],
        )


def _close(connection: sa.Connection, ids: Collection[int], moment: object) -> None:
    if ids:
        connection.execute(ledger.update().where(ledger.c.id.in_(ids)).values(closed_at=moment))


def _know(
    connection: sa.Connection, cluster_id: str, groups: set[str], marked: set[str], version: int
) -> None:
    if groups & marked:
        connection.execute(
            ledger.update()
            .where(
                ledger.c.cluster_id == cluster_id,
                ledger.c.kind == _KNOWN,
                ledger.c.name.in_(groups & marked),
            )
            .values(external_id=str(version))
        )
    moment = utcnow()
    if groups - marked:
        connection.execute(
            ledger.insert(),
            [
                {
                    'cluster_id': cluster_id,
                    'kind': _KNOWN,
                    'name': group,
                    'external_id': str(version),
                    'created_at': moment,
                    'closed_at': moment,
                }
                for group in groups - marked
            ],
        )
