"""The Cloud that a step gets: Heat, while the operation's lease lasts."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from magnum_lite.cloud import transport
from magnum_lite.driver_sdk import CloudUnavailable, Heat, StackView
from magnum_lite.driver_sdk.errors import Unanswered

T = TypeVar('T')


class OutOfLease(CloudUnavailable):
    """The step took so long that no call may start: its end could come after the lease's."""


class LeasedHeat:
    """Heat, refusing calls that could outlast the lease, or that a worker begins which is to stop;
    see ``driver_sdk.Heat``.

    :param until: moment of ``time.monotonic`` at which the lease ends.
    :param timeout_s: seconds that a call may take.
    :param unanswered: called when a call that makes something ended without an answer.
    :param seen: ``{tag: stacks}`` listed for this step already, together with those of others;
        each is given once, since a step that acts has to look again.
    :ivar changes: how many calls changed something.
    """

    def __init__(
        self,
        heat: Heat,
        *,
        until: float,
        timeout_s: float,
        unanswered: Callable[[], None],
        seen: Mapping[str, Sequence[StackView]] | None = None,
    ):
        self._heat = heat
        self._until = until
        self._timeout_s = timeout_s
        self._unanswered = unanswered
        self._seen = dict(seen or {})
        self._listed: dict[str, StackView] = {}
        self.changes = 0

    def assume(self, tag: str, stacks: Sequence[StackView]) -> None:
        """Answer the next ``list`` of the tag with stacks that are known without a look."""
        self._seen[tag] = stacks

    def _has_time(self) -> bool:
        return time.monotonic() + self._timeout_s <= self._until

    def _look(self, ask: Callable[[Heat], T]) -> T:
        """What Heat answers to a question, which may be asked once more at once."""
        heat = self._open()
        try:
            return ask(heat)
        except CloudUnavailable:
            if not self._has_time():
                raise
            return ask(self._open())

    def _open(self) -> Heat:
        transport.admit()
        if not self._has_time():
            raise OutOfLease('the step took too long to begin another call to the cloud')
        return self._heat

    def _make(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            made = method(*args)
        except Unanswered:
            self._unanswered()
            raise
        self.changes += 1
        return made

    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``."""
        views = (
            self._seen.pop(tag) if tag in self._seen else self._look(lambda heat: heat.list(tag))
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

    def refresh(self, stack: str, tags: Sequence[str]) -> None:
        """Start an update of a stack that changes its tags alone; not for drivers."""
        self._make(self._open().refresh, stack, tags)

    def delete(self, stack: str) -> None:
        """Start deleting a stack."""
        self._open().delete(stack)
        self._listed.pop(stack, None)
        self.changes += 1

    def failures(self, stack: str) -> Sequence[str]:
        """What failed inside a stack."""
        return self._look(lambda heat: heat.failures(stack))


class StepCloud:
    """What the driver is given."""

    def __init__(self, heat: LeasedHeat):
        self.heat = heat
