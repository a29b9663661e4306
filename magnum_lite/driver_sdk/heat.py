"""HeatDriver: create, update, delete and get_status for any driver that can say its plan.

Each call looks at the stacks first, so a call repeated after a crash at any line ends the same.
"""

import abc
import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from magnum_lite.driver_sdk import address, leaving, lost, stacks, tags
from magnum_lite.driver_sdk.backend import HEAT, Backend
from magnum_lite.driver_sdk.cloud import Cloud, Heat, StackView
from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.errors import CloudUnavailable
from magnum_lite.driver_sdk.plan import Output, Plan, Stack
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import DONE, Progress, Status, Waiting


class HeatDriver(Driver):
    """A driver whose clusters are Heat stacks; a subclass says ``plan``."""

    backend: ClassVar[Backend | str] = HEAT

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
        ``node_addresses`` of every stack that holds nodes, ``refs_map`` (member index to server id)
        of that of a group which is one stack, where it exists. Addresses are those of all
        generations, the rest is of those that a step builds.
        """
        plan = self.plan(spec)
        built = [stack for stack in plan.stacks if spec.builds(stack.node_group, stack.generation)]
        base = views.get(plan.stacks[0].key)
        outputs = base.outputs if base else {}
        groups, alive = stacks.of_groups(built, views), stacks.of_groups(plan.stacks, views)
        return Status(
            state=stacks.worst(built, views),
            reason='; '.join(f'{v.name}: {v.reason}' for v in views.values() if v.failed),
            backend_id=base.id if base else None,
            api_address=address.usable(outputs.get('api_address')),
            coe_version=str(outputs.get('coe_version') or '') or None,
            container_version=str(outputs.get('container_version') or '') or None,
            group_backend_ids={uuid: found[0].id for uuid, found in groups.items()},
            group_addresses={
                uuid: tuple(a for v in found for a in v.outputs.get('node_addresses') or () if a)
                for uuid, found in alive.items()
            },
            group_members={
                uuid: stacks.members(found[0])
                for uuid, found in groups.items()
                if 'refs_map' in found[0].outputs
                and sum(stack.node_group == uuid for stack in built) == 1
            },
            group_states={
                uuid: stacks.worst([s for s in built if s.node_group == uuid], views)
                for uuid in {s.node_group for s in built if s.node_group}
            },
        )

    def leaving(self, cloud: Cloud, spec: ClusterSpec, plan: Plan, /) -> Sequence[str]:
        """Ids of the servers that a step towards a plan takes away, by the outputs ``refs_map``.

        A driver drains their nodes in a phase before ``converge``: Heat then ends them at once.
        """
        return leaving.servers(cloud.heat, spec, plan)

    def present(self, cloud: Cloud, spec: ClusterSpec, /) -> set[str]:
        """Ids of the servers that the stacks of a cluster have."""
        return leaving.present(cloud.heat, spec)

    def renews(self, spec: ClusterSpec, stack: Stack, /) -> Sequence[str]:
        """Names of what has to be made anew with a lost server of a stack: what waits for its
        signal, for instance."""
        return ()

    def create_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """The plan."""
        return self.plan(spec)

    def update_dry_run(self, spec: ClusterSpec, /) -> Plan:
        """The plan."""
        return self.plan(spec)

    def create(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Converge on what ``create_dry_run`` says."""
        return self.converge(cloud, spec, self.create_dry_run(spec))

    def update(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Converge on what ``update_dry_run`` says."""
        return self.converge(cloud, spec, self.update_dry_run(spec))

    def converge(
        self,
        cloud: Cloud,
        spec: ClusterSpec,
        plan: Plan,
        /,
        anew: Mapping[str, Collection[str]] | None = None,
    ) -> Progress:
        """Move one step towards a plan: that of the dry run, or, in a phase on the way there, one
        that still has the stacks of an earlier plan.

        Its phases are ``stacks`` and ``leftover``. Give it no stack that no dry run has named: the
        service looks for those that one has.

        :param anew: ``{stack key: things}`` that the update to this plan makes anew, as
            ``Heat.replace`` takes them, also where the environment forbids to replace them.
        """
        return self._converge(cloud.heat, spec, plan, anew or {})

    def delete(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Delete every stack of the cluster, those with nodes first, the base last.

        Found by tag and not by plan: what an interrupted older version made goes too, and so does
        a cluster whose spec is refused by now.
        """
        views = stacks.by_name(cloud.heat.list(tags.of_cluster(spec.uuid)))
        base = views.pop(self.base_stack(spec), None)
        so_far = _so_far(spec, 'deletion', len(views) + (base is not None))
        if views:
            return self._delete(cloud.heat, list(views.values()), *so_far)
        return self._delete(cloud.heat, [base], *so_far) if base else DONE

    def get_status(self, cloud: Cloud, spec: ClusterSpec, /) -> Status:
        """One list, and one look at each stack of the plan for its outputs."""
        names = stacks.by_name(cloud.heat.list(tags.of_cluster(spec.uuid)))
        views = {}
        for stack in self.plan(spec).stacks:
            view = cloud.heat.get(names[stack.name].id) if stack.name in names else None
            if view:
                views[stack.key] = view
        return self.status_of(spec, views)

    def _converge(
        self, heat: Heat, spec: ClusterSpec, plan: Plan, anew: Mapping[str, Collection[str]]
    ) -> Progress:
        views = stacks.by_name(heat.list(tags.of_cluster(spec.uuid)))
        wanted = {stack.name for stack in plan}
        broken = lost.broken(heat, spec, plan, views, anew)
        kept = _kept(spec, plan, views, broken)
        ready: dict[str, StackView] = {}
        waiting: list[str] = []
        unformed: list[StackView] = []
        for stack in plan.stacks:
            view = views.get(stack.name)
            if stack.key in kept:
                ready |= {stack.key: view} if view else {}
            elif view and stacks.is_as_planned(view, stack) and stack.key not in broken:
                ready[stack.key] = view
            elif view and view.in_progress:
                waiting.append(view.name)
            elif view and stacks.has_failed_for_good(view, spec, stack):
                return stacks.failure(heat, view)
            elif view and view.status in stacks.UNFORMED:
                unformed.append(view)
            else:
                if stack.requires <= ready.keys():
                    self._apply(heat, spec, stack, view, ready, broken.get(stack.key, ()))
                waiting.append(stack.name)
        done, total = len(ready), len(plan.stacks)
        if unformed:
            return self._delete(heat, unformed, 'stacks', done, total)
        if waiting:
            reason = f'{done} of {total} stacks are complete, next {waiting[0]}'
            return Waiting(reason, phase='stacks', done=done, total=total)
        leftover = [view for name, view in views.items() if name not in wanted]
        return (
            self._delete(heat, leftover, *_so_far(spec, 'leftover', len(leftover)))
            if leftover
            else DONE
        )

    def _apply(
        self,
        heat: Heat,
        spec: ClusterSpec,
        stack: Stack,
        view: StackView | None,
        ready: Mapping[str, StackView],
        broken: Sequence[str],
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
        marks = tags.of_stack(spec.uuid, stack.digest, spec.attempt)
        if view is None:
            heat.create(stack.name, arguments, marks)
            return
        if broken:
            renewed = self.renews(spec, stack)
            paths = set(heat.replace(view.id, [*broken, *renewed]))
            arguments['environment'] = lost.allowing(stack.environment, paths)
            marks += lost.marks(stack.environment, paths, renewed)
        heat.update(view.id, arguments, marks)

    def _delete(
        self, heat: Heat, views: Sequence[StackView], phase: str, done: int, total: int
    ) -> Progress:
        # A stack's tags cannot be changed while it is deleted, so a failed deletion does not say
        # which attempt it was of: it is tried again, and the conductor looks at the clock.
        failed = [stacks.failure(heat, view) for view in views if view.status == 'DELETE_FAILED']
        for view in views:
            if view.status != 'DELETE_IN_PROGRESS':
                heat.delete(view.id)
        return Waiting(
            f'stacks being deleted: {len(views)}, next {views[0].name}',
            trouble='; '.join(each.text for each in failed),
            causes=tuple(cause for each in failed for cause in each.causes),
            phase=phase,
            done=done,
            total=total,
            cursor=total,
        )


def _so_far(spec: ClusterSpec, phase: str, left: int) -> tuple[str, int, int]:
    """A phase of deletions, how many are done, and how many there were: what is gone cannot be
    counted, so that number is the cursor."""
    total = max(left, spec.cursor) if spec.phase == phase else left
    return phase, total - left, total


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


def _kept(
    spec: ClusterSpec, plan: Plan, views: Mapping[str, StackView], broken: Collection[str]
) -> set[str]:
    """Keys of the stacks that are not touched: of generations beside the one that is built, and of
    other groups than the one in focus, but for a stack that the focus needs and that is not there,
    not at rest, half deleted, or has lost servers."""
    beside = {
        stack.key for stack in plan.stacks if not spec.builds(stack.node_group, stack.generation)
    }
    if spec.focus is None:
        return beside
    needed = {key for stack in plan if stack.node_group == spec.focus for key in stack.requires}
    resting = {
        stack.key
        for stack in plan
        if stack.name in views
        and not views[stack.name].in_progress
        and views[stack.name].status != 'DELETE_FAILED'
        and stack.key not in broken
    }
    return beside | {
        stack.key
        for stack in plan
        if stack.node_group != spec.focus and (stack.key in resting or stack.key not in needed)
    }
