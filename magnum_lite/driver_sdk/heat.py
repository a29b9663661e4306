"""HeatDriver: create, update, delete and get_status for any driver that can say its plan.

Each call looks at the stacks first, so a call repeated after a crash at any line ends the same.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from magnum_lite.driver_sdk.cloud import Cloud, Heat, StackView
from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.errors import CloudUnavailable
from magnum_lite.driver_sdk.plan import Output, Plan, Stack
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import DONE, Failed, Progress, Status, Waiting

# A stack that never formed is made anew and not updated: a FAILURE that a node reported stays in
# its handle and would fail every later wait, and a node does not run its boot scripts again.
UNFORMED = ('CREATE_FAILED', 'DELETE_FAILED')
# Heat's words where a second update came before the first had begun, as after an answer that was
# lost: neither says anything about what was asked for, so it is asked for again.
OVERTAKEN = 'Stack UPDATE cancelled'


def cluster_tag(uuid: str) -> str:
    """The tag that finds the stacks of a cluster."""
    return f'cluster:{uuid}'


def tags(spec: ClusterSpec, stack: Stack) -> list[str]:
    """All tags of a stack; Heat replaces the whole set, so they are always sent together."""
    return [
        'magnum_lite',
        cluster_tag(spec.uuid),
        f'plan:{stack.digest}',
        f'attempt:{spec.attempt}',
    ]


class HeatDriver(Driver):
    """A driver whose clusters are Heat stacks; a subclass says ``plan``."""

    @abc.abstractmethod
    def plan(self, spec: ClusterSpec, /) -> Plan:
        """The stacks of a spec. Pure."""

    def base_stack(self, spec: ClusterSpec, /) -> str:
        """Name of the first stack of the plan, which a deletion leaves for the end.

        By itself from the plan of a cluster without workers: no number of a tenant's makes work.
        """
        first = dataclasses.replace(
            spec.control_plane, node_count=1, max_node_count=None, removed=()
        )
        return self.plan(dataclasses.replace(spec, node_groups=(first,))).stacks[0].name

    def status_of(self, spec: ClusterSpec, views: Mapping[str, StackView], /) -> Status:
        """The status from the plan's stacks with their outputs.

        :param views: ``{stack key: view}`` of the stacks that exist.

        Outputs read (rule D6): ``api_address`` and ``coe_version`` of the base stack,
        ``node_addresses`` of every stack that holds nodes.
        """
        plan = self.plan(spec)
        base = views.get(plan.stacks[0].key)
        outputs = base.outputs if base else {}
        groups: dict[str, list[StackView]] = {}
        for stack in plan:
            if stack.node_group and stack.key in views:
                groups.setdefault(stack.node_group, []).append(views[stack.key])
        return Status(
            state=_worst(plan.stacks, views),
            reason='; '.join(f'{v.name}: {v.reason}' for v in views.values() if v.failed),
            backend_id=base.id if base else None,
            api_address=outputs.get('api_address') or None,
            coe_version=outputs.get('coe_version') or None,
            container_version=outputs.get('container_version') or None,
            group_backend_ids={uuid: found[0].id for uuid, found in groups.items()},
            group_addresses={
                uuid: tuple(a for v in found for a in v.outputs.get('node_addresses') or () if a)
                for uuid, found in groups.items()
            },
            group_states={
                uuid: _worst([s for s in plan if s.node_group == uuid], views)
                for uuid in {s.node_group for s in plan if s.node_group}
            },
        )

    def create_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """The plan."""
        return self.plan(spec)

    def update_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """The plan."""
        return self.plan(spec)

    def create(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Converge on what ``create_dry_run`` says."""
        return self._converge(cloud.heat, spec, self.create_dry_run(spec))

    def update(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Converge on what ``update_dry_run`` says."""
        return self._converge(cloud.heat, spec, self.update_dry_run(spec))

    def delete(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Delete every stack of the cluster, those with nodes first, the base last.

        Found by tag and not by plan: what an interrupted older version made goes too, and so does
        a cluster whose spec is refused by now.
        """
        views = _by_name(cloud.heat.list(cluster_tag(spec.uuid)))
        base = views.pop(self.base_stack(spec), None)
        if views:
            return self._delete(cloud.heat, list(views.values()))
        return self._delete(cloud.heat, [base]) if base else DONE

    def get_status(self, cloud: Cloud, spec: ClusterSpec, /) -> Status:
        """One list, and one look at each stack of the plan for its outputs."""
        names = _by_name(cloud.heat.list(cluster_tag(spec.uuid)))
        views = {}
        for stack in self.plan(spec):
            view = cloud.heat.get(names[stack.name].id) if stack.name in names else None
            if view:
                views[stack.key] = view
        return self.status_of(spec, views)

    def _converge(self, heat: Heat, spec: ClusterSpec, plan: Plan) -> Progress:
        views = _by_name(heat.list(cluster_tag(spec.uuid)))
        wanted = {stack.name for stack in plan}
        kept = _kept(spec, plan, views)
        ready: dict[str, StackView] = {}
        waiting: list[str] = []
        unformed: list[StackView] = []
        for stack in plan:
            view = views.get(stack.name)
            if stack.key in kept:
                ready |= {stack.key: view} if view else {}
            elif view and _is_as_planned(view, stack):
                ready[stack.key] = view
            elif view and view.in_progress:
                waiting.append(view.name)
            elif view and _has_failed_for_good(view, spec, stack):
                return Failed('stack-failed', _explain(heat, view))
            elif view and view.status in UNFORMED:
                unformed.append(view)
            elif stack.requires <= ready.keys():
                self._apply(heat, spec, stack, view, ready)
                waiting.append(stack.name)
            else:
                waiting.append(stack.name)
        if unformed:
            return self._delete(heat, unformed)
        if waiting:
            return Waiting(
                f'{len(ready)} of {len(plan.stacks)} stacks are complete, next {waiting[0]}'
            )
        leftover = [view for name, view in views.items() if name not in wanted]
        return self._delete(heat, leftover) if leftover else DONE

    def _apply(
        self,
        heat: Heat,
        spec: ClusterSpec,
        stack: Stack,
        view: StackView | None,
        ready: Mapping[str, StackView],
    ) -> None:
        outputs: dict[str, Mapping[str, Any]] = {}
        for key in stack.requires:
            full = heat.get(ready[key].id)
            outputs[key] = full.outputs if full else {}
        for value in stack.parameters.values():
            if isinstance(value, Output) and value.output not in outputs[value.stack]:
                raise CloudUnavailable(
                    f'Heat does not show the output {value.output} of stack '
                    f'{ready[value.stack].name}'
                )
        arguments = {
            'template': stack.template,
            'files': dict(stack.files),
            'environment': dict(stack.environment),
            'timeout_min': stack.timeout_min,
            'parameters': _parameters(heat, stack, view, outputs),
        }
        if view is None:
            heat.create(stack.name, arguments, tags(spec, stack))
        else:
            heat.update(view.id, arguments, tags(spec, stack))

    def _delete(self, heat: Heat, views: Sequence[StackView]) -> Progress:
        # A stack's tags cannot be changed while it is deleted, so a failed deletion does not say
        # which attempt it was of: it is tried again, and the conductor looks at the clock.
        trouble = [_explain(heat, view) for view in views if view.status == 'DELETE_FAILED']
        for view in views:
            if view.status != 'DELETE_IN_PROGRESS':
                heat.delete(view.id)
        return Waiting(
            f'stacks being deleted: {len(views)}, next {views[0].name}', trouble='; '.join(trouble)
        )


def _parameters(
    heat: Heat, stack: Stack, view: StackView | None, outputs: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    values = stack.resolve(outputs)
    if view is None or not stack.kept:
        return values
    made = heat.get(view.id)
    return {name: value for name, value in values.items() if name not in stack.kept} | {
        name: value
        for name, value in (made.parameters if made else {}).items()
        if name in stack.kept
    }


def _by_name(views: Sequence[StackView]) -> dict[str, StackView]:
    # For a moment Heat still lists a stack that is gone; an update of it would be refused for good.
    return {view.name: view for view in views if view.status != 'DELETE_COMPLETE'}


def _kept(spec: ClusterSpec, plan: Plan, views: Mapping[str, StackView]) -> set[str]:
    """Keys of the stacks of other groups than the one in focus, which are not touched: but for
    one that the focus needs and that is not there or not at rest."""
    if spec.focus is None:
        return set()
    needed = {key for stack in plan if stack.node_group == spec.focus for key in stack.requires}
    resting = {
        stack.key for stack in plan if stack.name in views and not views[stack.name].in_progress
    }
    return {
        stack.key
        for stack in plan
        if stack.node_group != spec.focus and (stack.key in resting or stack.key not in needed)
    }


def _is_as_planned(view: StackView, stack: Stack) -> bool:
    return (
        view.status in ('CREATE_COMPLETE', 'UPDATE_COMPLETE')
        and f'plan:{stack.digest}' in view.tags
    )


def _has_failed_for_good(view: StackView, spec: ClusterSpec, stack: Stack) -> bool:
    return (
        view.failed
        and f'attempt:{spec.attempt}' in view.tags
        and f'plan:{stack.digest}' in view.tags
        and OVERTAKEN not in view.reason
    )


def _explain(heat: Heat, view: StackView) -> str:
    causes = heat.failures(view.id)
    return f'stack {view.name} is {view.status}: ' + '; '.join(causes or [view.reason])


def _worst(stacks: Sequence[Stack], views: Mapping[str, StackView]) -> str:
    found = [views[stack.key] for stack in stacks if stack.key in views]
    if not found:
        return 'ABSENT'
    if any(view.failed for view in found):
        return 'FAILED'
    if len(found) < len(stacks) or any(view.in_progress for view in found):
        return 'IN_PROGRESS'
    return 'COMPLETE'
