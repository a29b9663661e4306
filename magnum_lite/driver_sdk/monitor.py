"""Monitor: the health of a running cluster, as its COE tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Health:
    """One look at the COE.

    :ivar status: ``HEALTHY``, ``UNHEALTHY`` or ``UNKNOWN``.
    :ivar reason: ``{what: finding}``, for instance ``{'api': 'ok'}``; users read it. Words that
        begin with ``stack `` or ``servers`` are the service's.
    """

    status: str
    reason: Mapping[str, str]


class Monitor(Protocol):
    """Looks at a cluster, at ``api_address`` of the spec, and changes nothing.

    A tenant may have said that address: what answers there is believed only when a certificate of
    the cluster's own authority proves it, nothing secret is sent before, no redirect is followed,
    and little of the answer is read.
    """

    def look(self, *, timeout_s: float) -> Health:
        """The health now; never raises for a COE that does not answer: that is a finding.

        :param timeout_s: seconds that all of it may take, to the last byte.
        """
