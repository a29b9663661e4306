"""The queue of a cluster: one change runs, at most one of each node group waits its turn.

Whoever reads it here has written the cluster's row in the same transaction, so that nobody else
changes it meanwhile.
"""

from typing import Any

import sqlalchemy as sa

from magnum_lite.db import journal, outbox, store
from magnum_lite.db.tables import clusters
from magnum_lite.exceptions import BadRequest
from magnum_lite.objects import Cluster, NodeGroup, Operation
from magnum_lite.objects.operation import MAX_REMOVED, OPEN, RUN, group_phase, queue_slot


def hold(connection: sa.Connection, cluster_id: str) -> bool:
    """Write the cluster's row as it is, to look before deciding what to write; whether it is there."""
    written = connection.execute(
        clusters.update().where(clusters.c.uuid == cluster_id).values(version=clusters.c.version)
    )
    return written.rowcount == 1


def running(connection: sa.Connection, cluster_id: str) -> Any:
    """The row of the operation that may run; None if there is none."""
    found = store.rows(connection, Operation, cluster_id=cluster_id, slot=RUN, state=OPEN)
    return found[0] if found else None


def waiting(connection: sa.Connection, cluster_id: str, node_group: str) -> Operation | None:
    """The operation that waits its turn to change a node group."""
    found = store.find(connection, Operation, cluster_id=cluster_id, slot=queue_slot(node_group))
    return found[0] if found else None


def waiting_of(connection: sa.Connection, cluster_id: str) -> dict[str, Operation]:
    """``{node group: operation}`` of all that wait their turn, oldest first."""
    return {
        found.node_group: found
        for found in store.find(connection, Operation, cluster_id=cluster_id, state='QUEUED')
        if found.slot != RUN
    }


def slot(connection: sa.Connection, cluster: Cluster, operation: Operation) -> str:
    """The slot for a new operation: ``run`` where nothing runs.

    Then the cluster's story begins anew: why an earlier change failed is no longer shown.
    """
    if running(connection, cluster.uuid):
        return queue_slot(operation.node_group)
    store.update(connection, Cluster, {'status_reason': None}, uuid=cluster.uuid)
    return RUN


def join(connection: sa.Connection, earlier: Operation, later: Operation, timeout_min: int) -> None:
    """Make one operation of two that wait for the same group: rows hold what both want.

    :raises BadRequest: together they name more nodes to remove than one operation may.
    """
    group = later.node_group
    nodes = [*earlier.target.get('nodes_to_remove', []), *later.target.get('nodes_to_remove', [])]
    joined = earlier.target.get('joined', 1) + 1
    target = {**earlier.target, 'joined': joined}
    if nodes:
        target['nodes_to_remove'] = _together(nodes)
    restore = {**later.restore.get(group, {}), **earlier.restore.get(group, {})}
    store.update(
        connection,
        Operation,
        {
            'reason': f'{later.reason}, the last of {joined} changes that were joined into this one',
            'target': target,
            'restore': {group: restore} if earlier.restore else {},
            'timeout_min': max(earlier.timeout_min, timeout_min),
        },
        uuid=earlier.uuid,
    )
    journal.note(
        connection,
        earlier,
        f'request {later.request_id} of user {later.user_id} joined: {later.reason}',
    )


def _together(nodes: list[str]) -> list[str]:
    found = list(dict.fromkeys(nodes))
    if len(found) > MAX_REMOVED:
        raise BadRequest(
            reason=f'The changes of the node group that wait name {len(found)} nodes '
            f'to remove, at most {MAX_REMOVED} are accepted at a time'
        )
    return found


def promote(connection: sa.Connection, later: dict[str, Operation]) -> str | None:
    """Let the oldest of the waiting operations run; its uuid, None if none waits.

    In the transaction in which the running one ended, so that the slot is free and nobody else's.

    :param later: what ``waiting_of`` gives.
    """
    for found in later.values():
        store.update(connection, Operation, {'slot': RUN}, uuid=found.uuid)
        store.update(
            connection,
            NodeGroup,
            {'status': f'{group_phase(found.kind)}_IN_PROGRESS', 'status_reason': None},
            uuid=found.node_group,
        )
        return found.uuid
    return None


def cancel(connection: sa.Connection, cluster_id: str, node_group: str) -> None:
    """End what waits its turn to change a node group."""
    found = waiting(connection, cluster_id, node_group)
    if found:
        store.update(
            connection,
            Operation,
            {'state': 'CANCELLED', 'slot': None, 'ended_at': store.utcnow()},
            uuid=found.uuid,
        )
        journal.note(connection, found, 'cancelled: the node group is to be deleted')
        outbox.write(connection, found, 'error', 'cancelled')
