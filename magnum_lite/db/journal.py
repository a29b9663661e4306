"""The journal: steps of operations. Versions of clusters are written in ``accept``."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.db.engine import Row
from magnum_lite.db.tables import operations, steps
from magnum_lite.objects import ClusterVersion, Operation

MOST = 1000  # steps that are read of one operation: changes that wait may be joined for ever
MOST_TEXT = 8000


def short(text: str) -> str:
    """The text of a driver or a cloud, cut at ``MOST_TEXT`` characters: a stack may have failed in
    a thousand places. Letters that some database cannot hold are replaced."""
    found = text if len(text) <= MOST_TEXT else f'{text[:MOST_TEXT]} ...'
    return found.replace('\0', '\ufffd').encode(errors='replace').decode()


def note(connection: sa.Connection, operation: Operation, text: str) -> None:
    """Add a step to the operation's journal."""
    connection.execute(
        steps.insert().values(
            operation_id=operation.uuid,
            fence=operation.fence,
            text=short(text),
            created_at=store.utcnow(),
        )
    )


def note_cluster(connection: sa.Connection, cluster_id: str, text: str, *, among: int = 1) -> None:
    """Add a step about a cluster that no operation makes, to the journal of its newest one.

    A cluster whose operations were purged has none that could be noted. What one of the newest
    steps says already is not said again.

    :param among: how many of them are looked at.
    """
    query = (
        sa.select(operations.c.uuid, operations.c.fence)
        .where(operations.c.cluster_id == cluster_id)
        .order_by(operations.c.id.desc())
        .limit(1)
    )
    newest = connection.execute(query).first()
    if newest and text not in {row.text for row in steps_of(connection, newest.uuid, limit=among)}:
        connection.execute(
            steps.insert().values(
                operation_id=newest.uuid, fence=newest.fence, text=text, created_at=store.utcnow()
            )
        )


def steps_of(connection: sa.Connection, operation_id: str, *, limit: int = MOST) -> Sequence[Row]:
    """The newest rows (text, fence, created_at), oldest first."""
    query = (
        sa.select(steps)
        .where(steps.c.operation_id == operation_id)
        .order_by(steps.c.id.desc())
        .limit(limit)
    )
    return connection.execute(query).all()[::-1]


def amend(connection: sa.Connection, operation: Operation, snapshot: dict[str, Any]) -> None:
    """Say in the version that an operation makes what was found out since it was accepted."""
    store.update(
        connection,
        ClusterVersion,
        {'snapshot': snapshot},
        cluster_id=operation.cluster_id,
        version=operation.cluster_version,
    )


def first_shown(connection: sa.Connection, operation_id: str) -> int:
    """Id of the oldest step that is read of an operation which has more; 0 where all are."""
    query = (
        sa.select(steps.c.id)
        .where(steps.c.operation_id == operation_id)
        .order_by(steps.c.id.desc())
        .offset(MOST - 1)
        .limit(1)
    )
    return connection.execute(query).scalar() or 0
