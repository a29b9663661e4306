"""The Cloud that a step gets: Heat, while the operation's lease lasts."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from magnum_lite.driver_sdk import CloudUnavailable, Heat, StackView


class OutOfLease(CloudUnavailable):
    """The step took so long that no call may start: its end could come after the lease's."""


class LeasedHeat:
    """Heat, refusing calls that could outlast the lease; see ``driver_sdk.Heat``.

    :param until: moment of ``time.monotonic`` at which the lease ends.
    :param timeout_s: seconds that a call may take.
    :param seen: ``{tag: stacks}`` listed for this step already, together with those of others;
        each is given once, since a step that acts has to look again.
    """

    def __init__(self, heat: Heat, *, until: float, timeout_s: float,
                 seen: Mapping[str, Sequence[StackView]] | None = None):
        self._heat = heat
        self._until = until
        self._timeout_s = timeout_s
        self._seen = dict(seen or {})

    def assume(self, tag: str, stacks: Sequence[StackView]) -> None:
        """Answer the next ``list`` of the tag with stacks that are known without a look."""
        self._seen[tag] = stacks

    def _open(self) -> Heat:
        if time.monotonic() + self._timeout_s > self._until:
            raise OutOfLease('the step took too long, it goes on in the next one')
        return self._heat

    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``."""
        return self._seen.pop(tag) if tag in self._seen else self._open().list(tag)

    def get(self, stack: str) -> StackView | None:
        """A stack with its outputs."""
        return self._open().get(stack)

    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Start creating a stack; its id."""
        return self._open().create(name, arguments, tags)

    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """Start updating a stack."""
        self._open().update(stack, arguments, tags)

    def refresh(self, stack: str, tags: Sequence[str]) -> None:
        """Start an update of a stack that changes its tags alone; not for drivers."""
        self._open().refresh(stack, tags)

    def delete(self, stack: str) -> None:
        """Start deleting a stack."""
        self._open().delete(stack)

    def failures(self, stack: str) -> Sequence[str]:
        """What failed inside a stack."""
        return self._open().failures(stack)


class StepCloud:
    """What the driver is given."""

    def __init__(self, heat: LeasedHeat):
        self.heat = heat
