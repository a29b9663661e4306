"""The Cloud: the few calls that a driver may make, as protocols; the service implements them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from magnum_lite.driver_sdk import tags
from magnum_lite.driver_sdk.cause import Cause


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

    @property
    def complete(self) -> bool:
        """Whether it is there and at rest, as it was last asked to be."""
        return self.status.endswith('_COMPLETE') and not self.status.startswith(
            ('DELETE', 'SUSPEND')
        )

    @property
    def gone(self) -> bool:
        """Whether Heat shows it only for a while yet."""
        return self.status == 'DELETE_COMPLETE'

    @property
    def cluster(self) -> str | None:
        """Uuid of the cluster that it belongs to, by its tags."""
        return tags.cluster(self.tags)

    @property
    def digest(self) -> str | None:
        """Of what it was last asked to be, by its tags."""
        return tags.digest(self.tags)

    @property
    def attempt(self) -> str | None:
        """Uuid of the operation that asked, by its tags."""
        return tags.attempt(self.tags)


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

    def replace(self, stack: str, things: Collection[str]) -> Sequence[str]:
        """Let the next update of a stack make some of its resources anew.

        :param things: their ids in the cloud, or paths, as below.
        :returns: the path of each: ``name``, or in a nested stack ``name of the holder/name``;
            without those that the stack does not have.
        """

    def delete(self, stack: str) -> None:
        """Start deleting a stack, by id; one that is gone is no error."""

    def failures(self, stack: str) -> Sequence[Cause]:
        """What failed inside a stack, by name or id, nested ones too; causes first."""


class Cloud(Protocol):
    """What a method of a driver is given."""

    @property
    def heat(self) -> Heat:
        """Heat in the cluster's project."""
