"""Monitor: the health of a running cluster, as its COE tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Health:
    """One look at the COE.

    :ivar status: ``HEALTHY``, ``UNHEALTHY`` or ``UNKNOWN``.
    :ivar reason: ``{what: finding}``, for instance ``{'api': 'ok'}``.
    """

    status: str
    reason: Mapping[str, str]


class Monitor(Protocol):
    """Looks at a cluster."""

    def look(self, *, timeout_s: float) -> Health:
        """The health now; never raises for a COE that does not answer: that is a finding."""
