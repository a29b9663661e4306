"""The queue of a cluster: one change runs, at most one of each node group waits its turn.

Whoever reads it here has written the cluster's row in the same transaction, so that nobody else
changes it meanwhile.
"""

from typing import Any

import sqlalchemy as sa

from magnum_lite.db import journal, operations, store
from magnum_lite.db.tables import clusters
from magnum_lite.objects import Cluster, NodeGroup, Operation, kinds
from magnum_lite.objects.change import Change
from magnum_lite.objects.operation import OPEN, RUN, queue_slot


def hold(connection: sa.Connection, cluster_id: str) -> bool:
    """Lock the cluster's queue, to look before deciding what to write; whether it is there.

    The row gets a new value: Galera does not replicate one that is written as it is.
    """
    written = connection.execute(
        clusters.update().where(clusters.c.uuid == cluster_id).values(updated_at=store.utcnow())
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
        found.group: found
        for found in store.find(connection, Operation, cluster_id=cluster_id, state='QUEUED')
        if found.slot != RUN
    }


def slot(connection: sa.Connection, cluster: Cluster, operation: Operation) -> str:
    """The slot for a new operation: ``run`` where nothing runs.

    Then the cluster's story begins anew: why an earlier change failed is no longer shown.
    """
    if running(connection, cluster.uuid):
        return queue_slot(operation.group)
    store.update(connection, Cluster, {'status_reason': None}, uuid=cluster.uuid)
    return RUN


def join(connection: sa.Connection, earlier: Operation, later: Operation, wants: Change) -> None:
    """Make one operation of two that wait for the same group: rows hold what both want.

    :param wants: the change that the later one was to make.
    :raises BadRequest: together they name more nodes to remove than one operation may.
    """
    change = earlier.wants.join(wants)
    store.update(
        connection,
        Operation,
        {
            'reason': f'{later.reason}, the last of {change.joined} changes that were joined '
            'into this one',
            'timeout_min': max(earlier.timeout_min, later.timeout_min),
            **change.columns(),
        },
        uuid=earlier.uuid,
    )
    journal.note(
        connection,
        earlier,
        f'request {later.request_id} of user {later.user_id} joined: {later.reason}',
    )


def never_begun(connection: sa.Connection, cluster_id: str, node_group: str) -> bool:
    """Whether a node group was to be deleted before its creation began: nothing was made of it."""
    making = [kind.name for kind in kinds.TABLE.values() if kind.adds]
    return bool(
        store.count(
            connection,
            Operation,
            cluster_id=cluster_id,
            node_group=node_group,
            kind=making,
            state='CANCELLED',
        )
    )


def promote(connection: sa.Connection, later: dict[str, Operation]) -> str | None:
    """Let the oldest of the waiting operations run; its uuid, None if none waits.

    In the transaction in which the running one ended, so that the slot is free and nobody else's.
    The cluster shows its phase: the one that ended may have been a rollback.

    :param later: what ``waiting_of`` gives.
    """
    for found in later.values():
        store.update(connection, Operation, {'slot': RUN}, uuid=found.uuid)
        store.update(
            connection,
            NodeGroup,
            {'status': f'{found.traits.phase}_IN_PROGRESS', 'status_reason': None},
            uuid=found.node_group,
        )
        store.update(
            connection,
            Cluster,
            {'status': f'{found.traits.cluster_phase}_IN_PROGRESS'},
            uuid=found.cluster_id,
        )
        return found.uuid
    return None


def cancel(connection: sa.Connection, cluster_id: str, node_group: str) -> None:
    """End what waits its turn to change a node group, which shows what it was to be before."""
    found = waiting(connection, cluster_id, node_group)
    if found:
        for uuid, values in found.wants.undo.items():
            store.update(connection, NodeGroup, dict(values), uuid=uuid)
        store.update(
            connection,
            Operation,
            {'state': 'CANCELLED', 'slot': None, 'ended_at': store.utcnow()},
            uuid=found.uuid,
        )
        journal.note(connection, found, 'cancelled: the node group is to be deleted')
        operations.tell(connection, found, 'error', 'cancelled')
