"""Which members of a group go before others: those that were named, then those that are spare.

Each is found out once in an operation, and written down before anything changes.
"""

from collections.abc import Sequence
from dataclasses import replace

from magnum_lite.conductor.call import call, indexes_of
from magnum_lite.conductor.step import Step
from magnum_lite.db import claims, journal, members, store
from magnum_lite.db.engine import Connection
from magnum_lite.driver_sdk import NodeGroupSpec, Rejected, ScaleManager
from magnum_lite.objects import NodeGroup, Operation

SPARE_S = 10  # that a driver may ask its cluster, within the lease of the step


def decided(step: Step) -> Step:
    """The step whose spec says which members go; the others are the choice of the backend.

    :raises DriverError: the driver refuses a node that was named, or fails.
    :raises LostClaim: the operation is another worker's now.
    """
    return _without_spare_nodes(_without_given_nodes(step))


def _without_given_nodes(step: Step) -> Step:
    """The step with ``nodes_to_remove`` turned into member indexes, which is done once: after the
    servers are gone, nobody could tell any more which members they were."""
    nodes = step.operation.wants.nodes_to_remove
    if not nodes:
        return step
    manager = call(step.driver, 'get_scale_manager', step.cloud, step.spec)
    group = _group(step)
    indexes, gone = _indexes(step, manager, nodes)
    without = _without(step, group, indexes)
    step.write(_remove, step.operation, nodes, indexes, gone, _group(without).removed)
    return without


def _without_spare_nodes(step: Step) -> Step:
    """The step of a group that becomes smaller, without those members that its driver can spare
    best. It is asked before anything was done: afterwards it would choose among those that are
    left."""
    operation, wants = step.operation, step.operation.wants
    before = wants.undo.get(operation.node_group or '', {}).get('node_count')
    if (
        not operation.traits.joins
        or before is None
        or before <= _group(step).node_count
        or wants.spares is not None
        or operation.progress is not None
        or 'scale_manager' not in step.driver.capabilities
    ):
        return step
    manager, group = call(step.driver, 'get_scale_manager', step.cloud, step.spec), _group(step)
    if not hasattr(manager, 'spare'):
        return step
    spares = indexes_of(step.driver, manager, 'spare', group.uuid, timeout_s=SPARE_S)
    without = _without(step, group, spares)
    step.write(_spare, operation, spares, group.removed, _group(without).removed)
    return without


def _group(step: Step) -> NodeGroupSpec:
    uuid = step.operation.group
    return next(group for group in step.spec.node_groups if group.uuid == uuid)


def _without(step: Step, group: NodeGroupSpec, indexes: Sequence[int]) -> Step:
    """The step with a group that must not have these members either."""
    removed = tuple(sorted({*group.removed, *indexes}))
    groups = tuple(
        replace(found, removed=removed) if found is group else found
        for found in step.spec.node_groups
    )
    return replace(step, spec=replace(step.spec, node_groups=groups))


def _indexes(
    step: Step, manager: ScaleManager, nodes: Sequence[str]
) -> tuple[tuple[int, ...], Sequence[str]]:
    """Member indexes of the nodes that are there, and the nodes that are gone already: whoever
    asks twice gets what they asked for.

    :raises Rejected: the group never had one of them.
    """
    uuid = step.operation.group
    try:
        return call(manager, 'indexes', uuid, nodes), ()
    except Rejected as error:
        with step.database.read() as connection:
            had = members.had(connection, step.spec.uuid, uuid, error.nodes)
        if not error.nodes or set(error.nodes) - had:
            raise
        left = [node for node in nodes if node not in had]
        return (call(manager, 'indexes', uuid, left) if left else ()), error.nodes


def _remove(
    connection: Connection,
    operation: Operation,
    nodes: Sequence[str],
    indexes: tuple[int, ...],
    gone: Sequence[str],
    removed: tuple[int, ...],
) -> None:
    claims.keep(connection, operation, replace(operation.wants, nodes_to_remove=()))
    store.update(connection, NodeGroup, {'removed': list(removed)}, uuid=operation.group)
    members.name(connection, operation.cluster_id, operation.group, nodes)
    if gone:
        journal.note(connection, operation, f'gone already: {", ".join(gone)}')
    if indexes:
        journal.note(connection, operation, f'members {list(indexes)} of the group are to go')


def _spare(
    connection: Connection,
    operation: Operation,
    spares: tuple[int, ...],
    before: tuple[int, ...],
    removed: tuple[int, ...],
) -> None:
    """Nobody asked for these members to go: where the change fails, they have their places back."""
    wants, uuid = replace(operation.wants, spares=spares), operation.group
    if spares:
        undo = {**wants.undo[uuid], 'removed': list(before)}
        wants = replace(wants, undo={**wants.undo, uuid: undo})
        store.update(connection, NodeGroup, {'removed': list(removed)}, uuid=uuid)
        journal.note(connection, operation, f'members {list(spares)} of the group can be spared')
    claims.keep(connection, operation, wants)
