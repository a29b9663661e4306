"""One step of an operation, with all that it needs."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from magnum_lite.db import claims
from magnum_lite.db.engine import Database
from magnum_lite.delegation import Delegations
from magnum_lite.driver_sdk import ClusterSpec, Driver
from magnum_lite.driver_sdk.backend import Access, Backend
from magnum_lite.objects import Operation


@dataclass(frozen=True)
class Step:
    """One step of an operation, with all that it needs.

    :ivar unformed: uuids of the node groups that never formed.
    """

    operation: Operation
    driver: Driver
    spec: ClusterSpec
    backend: Backend
    access: Access
    database: Database
    delegations: Delegations
    late_s: float
    gone: Callable[[Collection[str]], Sequence[str]]
    unformed: frozenset[str] = frozenset()

    @property
    def cloud(self) -> Any:
        """What the driver is given."""
        return self.access.cloud

    @property
    def told(self) -> ClusterSpec:
        """The spec that the driver takes its step with: it says where the last one left off."""
        return replace(self.spec, phase=self.operation.phase, cursor=self.operation.phase_cursor)

    def write(self, work: Callable[..., Any], *args: Any) -> Any:
        """As ``Database.write``, while this run of the operation lasts.

        :raises LostClaim: it is over.
        """
        return self.database.write(claims.fenced, self.operation, work, *args)
