"""A backend as a step of the conductor uses it: what fails there is trouble that has a name."""

from collections.abc import Mapping, Sequence
from typing import Any

from magnum_lite.conductor.call import ask
from magnum_lite.driver_sdk import Progress
from magnum_lite.driver_sdk.backend import Access, Backend, Found, Lease, Look, Members


def opened(
    backend: Backend, who: Mapping[str, Any] | None, lease: Lease, look: Look | None
) -> 'NamedAccess':
    """A backend with the rights of an identity, or for the end of what nobody has rights for.

    :raises CloudError: see ``call.ask``.
    """
    access = (
        ask(backend, 'open', backend.open, who, lease, look)
        if who
        else ask(backend, 'shut', backend.shut, lease)
    )
    return NamedAccess(access, backend)


class NamedAccess(Access):
    """Another access, whose errors tell of its backend.

    :raises CloudError: (all methods) as the other does; see ``call.ask`` for what it must not.
    """

    def __init__(self, access: Access, backend: Backend):
        super().__init__(access.cloud)
        self._access = access
        self._backend = backend

    @property
    def changes(self) -> int:
        """How many calls of this step have changed something."""
        return self._access.changes

    def begins(self, cluster: str) -> None:
        """Know that nothing of a cluster exists yet."""
        self._ask('begins', cluster)

    def shown(self) -> Mapping[str, Found]:
        """The parts as the last look showed them."""
        found: Mapping[str, Found] = self._ask('shown')
        return found

    def find(self, name: str) -> Found | None:
        """A part of the cluster, by name."""
        found: Found | None = self._ask('find', name)
        return found

    def remove(self, names: Sequence[str]) -> Sequence[str]:
        """Begin to delete what is still there of these names; the names of it."""
        left: Sequence[str] = self._ask('remove', names)
        return left

    def members(self, part: str) -> Members:
        """What a part has made."""
        found: Members = self._ask('members', part)
        return found

    def renew(self, cluster: str, attempt: str) -> Progress:
        """Take a step towards parts that go on by the rights of this access."""
        progress: Progress = self._ask('renew', cluster, attempt)
        return progress

    def _ask(self, method: str, *args: Any) -> Any:
        return ask(self._backend, method, getattr(self._access, method), *args)
