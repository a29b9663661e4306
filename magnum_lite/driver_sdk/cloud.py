"""The Cloud: the few calls that a driver may make, as protocols; the service implements them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class StackView:
    """A Heat stack as seen in a list; ``outputs`` and ``parameters`` are filled by ``Heat.get``
    only.

    :ivar status: Heat's action and status: ``CREATE_IN_PROGRESS``, ``UPDATE_FAILED``, ...
    :ivar tags: all tags of the stack.
    """

    id: str
    name: str
    status: str
    reason: str = ''
    tags: frozenset[str] = frozenset()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_progress(self) -> bool:
        """Whether Heat is at work on it."""
        return self.status.endswith('_IN_PROGRESS')

    @property
    def failed(self) -> bool:
        """Whether Heat's last action on it failed."""
        return self.status.endswith('_FAILED')


class Heat(Protocol):
    """Heat in the cluster's project. Each method is one call with a bounded time.

    :raises CloudError: (all methods) Heat refused.
    :raises CloudUnavailable: (all methods) Heat did not answer or is overloaded.
    """

    def list(self, tag: str) -> Sequence[StackView]:
        """The stacks that carry ``tag``."""

    def get(self, stack: str) -> StackView | None:
        """A stack with its outputs, by id or name; None if there is none."""

    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """Start creating a stack; its id.

        :param arguments: ``template``, ``files``, ``environment``, ``parameters``, ``timeout_min``.
        """

    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """Start updating a stack to new arguments (as ``create``); ``tags`` replaces all tags."""

    def delete(self, stack: str) -> None:
        """Start deleting a stack, by id; one that is gone is no error."""

    def failures(self, stack: str) -> Sequence[str]:
        """What failed inside a stack, nested ones too: ``resource (type): reason``, cause first."""


class Cloud(Protocol):
    """What a method of a driver is given."""

    @property
    def heat(self) -> Heat:
        """Heat in the cluster's project."""
