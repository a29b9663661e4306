"""Stacks as Heat shows them: which are as planned, which failed and why, their state together."""

import dataclasses
from collections.abc import Mapping, Sequence

from magnum_lite.driver_sdk.cause import explain
from magnum_lite.driver_sdk.cloud import Heat, StackView
from magnum_lite.driver_sdk.plan import Stack
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import Failed

# A stack that never formed is made anew and not updated: a FAILURE that a node reported stays in
# its handle and would fail every later wait, and a node does not run its boot scripts again.
UNFORMED = ('CREATE_FAILED', 'DELETE_FAILED')
# Heat's words where a second update came before the first had begun, as after an answer that was
# lost and a look that came too early (``cloud/heat.py``): neither says anything about what was
# asked for, so it is asked for again.
OVERTAKEN = 'Stack UPDATE cancelled'


def by_name(views: Sequence[StackView]) -> dict[str, StackView]:
    """``{name: stack}`` of those that exist."""
    # For a moment Heat still lists a stack that is gone; an update of it would be refused for good.
    return {view.name: view for view in views if view.status != 'DELETE_COMPLETE'}


def is_as_planned(view: StackView, stack: Stack) -> bool:
    """Whether a stack is complete and made of what the plan says now."""
    return view.status in ('CREATE_COMPLETE', 'UPDATE_COMPLETE') and view.digest == stack.digest


def has_failed_for_good(view: StackView, spec: ClusterSpec, stack: Stack) -> bool:
    """Whether Heat gave up, in this attempt, on what the plan says now."""
    return (
        view.failed
        and view.attempt == spec.attempt
        and view.digest == stack.digest
        and OVERTAKEN not in view.reason
    )


def failure(heat: Heat, view: StackView) -> Failed:
    """Why Heat's last action on a stack failed."""
    causes = tuple(dataclasses.replace(cause, part=view.name) for cause in heat.failures(view.id))
    text = explain(f'stack {view.name} is {view.status}', causes, view.reason)
    return Failed('stack-failed', text, causes)


def of_groups(
    stacks: Sequence[Stack], views: Mapping[str, StackView]
) -> dict[str, list[StackView]]:
    """``{node group: views}`` of planned stacks that exist, in the plan's order.

    :param views: as ``worst``.
    """
    found: dict[str, list[StackView]] = {}
    for stack in stacks:
        if stack.node_group and stack.key in views:
            found.setdefault(stack.node_group, []).append(views[stack.key])
    return found


def members(view: StackView) -> dict[str, str]:
    """``{member index: server id}``, by the output ``refs_map``."""
    return {
        str(index): str(server)
        for index, server in (view.outputs['refs_map'] or {}).items()
        if server
    }


def worst(stacks: Sequence[Stack], views: Mapping[str, StackView]) -> str:
    """The state of planned stacks together, as in ``Status.state``.

    :param views: ``{stack key: view}`` of those that exist.
    """
    found = [views[stack.key] for stack in stacks if stack.key in views]
    if not found:
        return 'ABSENT'
    if any(view.failed for view in found):
        return 'FAILED'
    if len(found) < len(stacks) or any(view.in_progress for view in found):
        return 'IN_PROGRESS'
    return 'COMPLETE'
