"""How a deletion overtakes the other operations of its cluster, and waits for their last call."""

import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.db.claims import update
from magnum_lite.db.engine import now
from magnum_lite.db.operations import tell
from magnum_lite.db.store import utcnow
from magnum_lite.db.tables import operations
from magnum_lite.objects import Cluster, NodeGroup, Operation
from magnum_lite.objects.operation import OPEN, OVERTAKEN


def end_open(connection: sa.Connection, cluster: Cluster) -> None:
    """End what is open, and tell of it: whoever heard of the start hears of the end."""
    uuids = [
        row.uuid
        for row in store.rows(connection, Operation, 'uuid', cluster_id=cluster.uuid, state=OPEN)
    ]
    overtake(connection, cluster.uuid)
    # One that ended by itself meanwhile has told of that.
    for ended in store.find(connection, Operation, uuid=uuids, state=OVERTAKEN):
        tell(connection, ended, 'error', 'overtaken')
    store.update(
        connection,
        NodeGroup,
        {'status': 'DELETE_IN_PROGRESS', 'status_reason': None},
        cluster_id=cluster.uuid,
    )


def overtake(connection: sa.Connection, cluster_id: str) -> int:
    """Cancel what is queued and supersede what runs, for a deletion; the number of operations.

    The owner of a step under way stays in the row until it notices: see ``in_flight``.
    """
    ours = operations.c.cluster_id == cluster_id
    ended = {'slot': None, 'fence': operations.c.fence + 1, 'ended_at': utcnow()}
    count = 0
    for state, end_state, owner in (
        ('QUEUED', 'CANCELLED', {'owner': None}),
        ('WAITING', 'SUPERSEDED', {'owner': None}),
        ('RUNNING', 'SUPERSEDED', {}),
    ):
        count += update(
            connection,
            sa.and_(ours, operations.c.state == state),
            state=end_state,
            **owner,
            **ended,
        )
    return count


def in_flight(connection: sa.Connection, cluster_id: str, *, late_s: float = 0) -> bool:
    """Whether a superseded run of the cluster may still have a call to the cloud under way.

    :param late_s: seconds after the lease of a worker that was lost in which its call may still
        take effect; one that lives says when no call is under way any more.
    """
    query = (
        sa.select(operations.c.id)
        .where(
            operations.c.cluster_id == cluster_id,
            operations.c.state == 'SUPERSEDED',
            operations.c.owner.is_not(None),
            operations.c.lease_until > now(-late_s),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None


def release_superseded(connection: sa.Connection, uuid: str, *, owner: str) -> None:
    """Say that no call of a superseded run is under way any more: a deletion waits for that."""
    update(
        connection,
        sa.and_(
            operations.c.uuid == uuid,
            operations.c.owner == owner,
            operations.c.state == 'SUPERSEDED',
        ),
        owner=None,
    )
