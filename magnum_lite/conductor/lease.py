"""The lease of a step: no call may begin that could outlast it."""

import time
from collections.abc import Callable

from magnum_lite.cloud import transport
from magnum_lite.driver_sdk import CloudUnavailable


class OutOfLease(CloudUnavailable):
    """The step took so long that no call may start: its end could come after the lease's."""


class Lease:
    """See ``driver_sdk.backend.Lease``.

    :param until: moment of ``time.monotonic`` at which it ends.
    :param unanswered: called when a call that makes something ended without an answer.
    """

    def __init__(self, until: float, unanswered: Callable[[], None] = lambda: None):
        self._until = until
        self.unanswered = unanswered

    def has(self, timeout_s: float) -> bool:
        """Whether a call would end in time that ends within ``timeout_s``."""
        return time.monotonic() + timeout_s <= self._until

    def admit(self, timeout_s: float) -> None:
        """Let a call begin that ends within ``timeout_s``.

        :raises OutOfLease: it could outlast the lease.
        :raises Stopped: this worker is to stop.
        """
        transport.admit()
        if not self.has(timeout_s):
            raise OutOfLease('the step took too long to begin another call to the cloud')
