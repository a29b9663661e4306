"""Generations of node groups: those that are there beside the one that a group's row describes.

A group has rows here only while it has several. While an operation makes a new one, both have a
row: the old one is ``current``, the new one ``coming``. Then the operation turns: the group's row
says what the new one is, and the old one is ``going``. Where the operation fails before that, the
row stays what it was, and the new one is ``going``. What is going is kept until a change of the
group knows that nothing needs it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from magnum_lite.db.engine import Row
from magnum_lite.db.tables import generations

COMING, CURRENT, GOING = 'coming', 'current', 'going'
States = dict[str, tuple[int, Mapping[str, Any]]]  # {state: (number, facts)}


def of(connection: sa.Connection, cluster_id: str) -> Mapping[str, Sequence[Row]]:
    """``{node group: rows (number, state, facts)}`` of the groups of a cluster that have some."""
    c = generations.c
    query = sa.select(c.node_group, c.number, c.state, c.facts).where(c.cluster_id == cluster_id)
    found = defaultdict(list)
    for row in connection.execute(query.order_by(c.number)):
        found[row.node_group].append(row)
    return found


def begin(connection: sa.Connection, cluster_id: str, made_of: Mapping[str, States]) -> None:
    """Note what groups have and what they are to have; all else that they have is going.

    :param made_of: by node group.
    """
    rows = [
        {
            'cluster_id': cluster_id,
            'node_group': uuid,
            'state': state,
            'number': number,
            'facts': dict(facts),
        }
        for uuid, states in made_of.items()
        for state, (number, facts) in states.items()
    ]
    c = generations.c
    connection.execute(
        generations.update()
        .where(c.cluster_id == cluster_id, c.node_group.in_(made_of))
        .values(state=GOING)
    )
    again = [sa.and_(c.node_group == row['node_group'], c.number == row['number']) for row in rows]
    connection.execute(generations.delete().where(sa.or_(*again)))
    connection.execute(generations.insert(), rows)


def turn(connection: sa.Connection, cluster_id: str) -> None:
    """Note that what was coming is what the groups have."""
    _replace(connection, cluster_id, gone=COMING, going=CURRENT)


def turn_back(connection: sa.Connection, cluster_id: str) -> int:
    """Note that the groups keep what they have; how many have what was coming beside it."""
    return _replace(connection, cluster_id, gone=CURRENT, going=COMING)


def drop(
    connection: sa.Connection, going: Mapping[str, Collection[int]], making: Collection[str]
) -> None:
    """Note that nothing needs some generations.

    :param going: ``{node group: numbers}``.
    :param making: those of the groups that are to have another; the others have one then, whatever
        a worker of release 1.0 has left.
    """
    c = generations.c
    for uuid, numbers in going.items():
        those = c.number.in_(numbers) if uuid in making else sa.true()
        connection.execute(generations.delete().where(c.node_group == uuid, those))


def _replace(connection: sa.Connection, cluster_id: str, *, gone: str, going: str) -> int:
    """The rows of one state go, for the groups' own rows say it; those of another are going."""
    c = generations.c
    connection.execute(generations.delete().where(c.cluster_id == cluster_id, c.state == gone))
    return connection.execute(
        generations.update().where(c.cluster_id == cluster_id, c.state == going).values(state=GOING)
    ).rowcount
