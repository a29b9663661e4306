"""Servers that a step towards a plan takes away, for drivers that let nodes go in good order."""

import bisect
from collections import Counter
from collections.abc import Sequence

from magnum_lite.driver_sdk import lost, stacks, tags
from magnum_lite.driver_sdk.cloud import Heat, StackView
from magnum_lite.driver_sdk.plan import Plan, Stack
from magnum_lite.driver_sdk.spec import ClusterSpec, NodeGroupSpec


def servers(heat: Heat, spec: ClusterSpec, plan: Plan) -> list[str]:
    """Ids of the servers that have no place in a plan: their stack, or their index in it, is gone,
    or they are of a generation that is ``going``.

    A group that is kept in several stacks tells of whole stacks alone.
    """
    planned = {stack.name: stack for stack in plan.stacks}
    count = Counter((stack.node_group, stack.generation) for stack in plan.stacks)
    found: list[str] = []
    for name, view in stacks.by_name(heat.list(tags.of_cluster(spec.uuid))).items():
        stack = planned.get(name)
        if stack is None or stack.generation in spec.going.get(stack.node_group or '', ()):
            found += lost.members(heat.get(view.id))
        elif _changes(view, stack, spec) and count[stack.node_group, stack.generation] == 1:
            found += _without_place(heat.get(view.id), _group(spec, stack))
    return found


def present(heat: Heat, spec: ClusterSpec) -> set[str]:
    """Ids of the servers of all stacks of a cluster, also of those that no plan has."""
    views = stacks.by_name(heat.list(tags.of_cluster(spec.uuid))).values()
    return {server for view in views for server in lost.members(heat.get(view.id))}


def _changes(view: StackView, stack: Stack, spec: ClusterSpec) -> bool:
    return (
        spec.focus in (None, stack.node_group)
        and spec.builds(stack.node_group, stack.generation)
        and not stacks.is_as_planned(view, stack)
    )


def _group(spec: ClusterSpec, stack: Stack) -> NodeGroupSpec | None:
    return next((group for group in spec.node_groups if group.uuid == stack.node_group), None)


def _without_place(view: StackView | None, group: NodeGroupSpec | None) -> Sequence[str]:
    refs = view.outputs.get('refs_map') if view else None
    if not refs or group is None:
        return ()
    removed = sorted(group.removed)
    return [
        str(server)
        for index, server in refs.items()
        # Heat takes the lowest indexes that are not removed.
        if int(index) in removed
        or int(index) - bisect.bisect_left(removed, int(index)) >= group.node_count
    ]
