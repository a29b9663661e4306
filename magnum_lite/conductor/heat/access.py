"""Heat with somebody's rights, for one step: what its driver is given, what the conductor asks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from magnum_lite.conductor.lease import Lease
from magnum_lite.driver_sdk import (
    DONE,
    Cause,
    CloudUnavailable,
    Heat,
    Progress,
    StackView,
    Waiting,
    lost,
    tags,
)
from magnum_lite.driver_sdk.backend import Access, Members
from magnum_lite.driver_sdk.errors import Unanswered
from magnum_lite.driver_sdk.stacks import OVERTAKEN, failure

T = TypeVar('T')


class LeasedHeat:
    """Heat, refusing calls that could outlast the lease, or that a worker begins which is to stop;
    see ``driver_sdk.Heat``.

    :param timeout_s: seconds that a call may take.
    :param seen: ``{cluster: stacks}`` listed for this step already, together with those of others;
        each is given once, since a step that acts has to look again.
    :ivar changes: how many calls changed something.
    """

    def __init__(
        self,
        heat: Heat,
        lease: Lease,
        *,
        timeout_s: float,
        seen: Mapping[str, Sequence[StackView]] | None = None,
    ):
        self._heat = heat
        self._lease = lease
        self._timeout_s = timeout_s
        self._seen: dict[str, Sequence[StackView]] = dict(seen or {})
        self._listed: dict[str, StackView] = {}
        self.changes = 0

    def assume(self, cluster: str, stacks: Sequence[StackView]) -> None:
        """Answer the next ``list`` of a cluster with stacks that are known without a look."""
        self._seen[cluster] = stacks

    def _look(self, ask: Callable[[Heat], T]) -> T:
        """What Heat answers to a question, which may be asked once more at once."""
        heat = self._open()
        try:
            return ask(heat)
        except CloudUnavailable:
            if not self._lease.has(self._timeout_s):
                raise
            return ask(self._open())

    def _open(self) -> Heat:
        self._lease.admit(self._timeout_s)
        return self._heat

    def _make(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            made = method(*args)
        except Unanswered:
            self._lease.unanswered()
            raise
        self.changes += 1
        return made

    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``."""
        cluster = tags.cluster([tag])
        views = (
            self._seen.pop(cluster)
            if cluster in self._seen
            else self._look(lambda heat: heat.list(tag))
        )
        self._listed = {view.id: view for view in views if not view.status.startswith('DELETE')}
        return views

    def listed(self) -> Mapping[str, StackView]:
        """``{name: stack}`` of the last list, but for those that were being deleted."""
        return {view.name: view for view in self._listed.values()}

    def get(self, stack: str) -> StackView | None:
        """A stack with its outputs.

        :raises CloudUnavailable: Heat listed it in this step: one of the two answers is wrong.
        """
        found = self._look(lambda heat: heat.get(stack))
        if found is None and any(stack in (view.id, view.name) for view in self._listed.values()):
            raise CloudUnavailable(f'Heat lists the stack {stack}, but does not find it')
        return found

    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Start creating a stack; its id."""
        made: str = self._make(self._open().create, name, arguments, tags)
        return made

    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """Start updating a stack."""
        self._make(self._open().update, stack, arguments, tags)

    def replace(self, stack: str, things: Collection[str]) -> Sequence[str]:
        """Let the next update of a stack make resources anew."""
        return self._open().replace(stack, things)

    def refresh(self, stack: str, tags: Sequence[str]) -> None:
        """Start an update of a stack that changes its tags alone; not for drivers."""
        self._make(self._open().refresh, stack, tags)  # type: ignore[attr-defined]

    def delete(self, stack: str) -> None:
        """Start deleting a stack."""
        self._open().delete(stack)
        self._listed.pop(stack, None)
        self.changes += 1

    def failures(self, stack: str) -> Sequence[Cause]:
        """What failed inside a stack."""
        return self._look(lambda heat: heat.failures(stack))


class StepCloud:
    """What the driver is given."""

    def __init__(self, heat: LeasedHeat):
        self.heat = heat


class HeatAccess(Access):
    """See ``driver_sdk.backend.Access``."""

    def __init__(self, heat: LeasedHeat):
        super().__init__(StepCloud(heat))
        self._heat = heat

    @property
    def changes(self) -> int:
        """How many calls of this step have changed something."""
        return self._heat.changes

    def begins(self, cluster: str) -> None:
        """Know that nothing of a cluster exists yet."""
        self._heat.assume(cluster, [])

    def shown(self) -> Mapping[str, StackView]:
        """``{name: stack}`` of the last list, but for those that were being deleted."""
        return self._heat.listed()

    def find(self, name: str) -> StackView | None:
        """By name, so that tags do not matter."""
        return self._heat.get(name)

    def remove(self, names: Sequence[str]) -> Sequence[str]:
        """Begin to delete the stacks of these names; the names of those that are still there."""
        left = [view for name in names if (view := self._heat.get(name))]
        for view in left:
            if view.status != 'DELETE_IN_PROGRESS':
                self._heat.delete(view.id)
        return [view.name for view in left]

    def members(self, part: str) -> Members:
        """What the outputs of a stack say."""
        view = self._heat.get(part)
        addresses = view.outputs.get('node_addresses') if view else None
        return Members(len(addresses or ()), tuple(lost.members(view)))

    def renew(self, cluster: str, attempt: str) -> Progress:
        """Take one step towards stacks that Heat changes with the rights of this access.

        Heat makes a new trust for itself when another user updates a stack, and never for the same
        user. What it keeps is made of an older trust by that user, which has to stay then.
        """
        waiting = []
        for stack in self._heat.list(tags.of_cluster(cluster)):
            if stack.gone:  # listed for a moment after it is gone
                continue
            is_overtaken = stack.failed and OVERTAKEN in stack.reason
            if (stack.attempt != attempt or is_overtaken) and not stack.in_progress:
                self._heat.refresh(stack.id, tags.with_attempt(stack.tags, attempt))
                waiting.append(stack.name)
            elif stack.in_progress:
                waiting.append(stack.name)
            elif stack.failed:
                return failure(self._heat, stack)
        if waiting:
            return Waiting(f'{len(waiting)} stacks get new credentials, next {waiting[0]}')
        return DONE
