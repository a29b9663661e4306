"""The errors that cross the driver boundary; each has a text for users."""

from collections.abc import Sequence


class DriverError(Exception):
    """Base of what a driver may raise."""


class Rejected(DriverError):
    """``validate`` refuses the spec: the user asked for something impossible.

    :param path: the attribute at fault, as the user knows it (``labels.kube_tag``).
    :param reason: why, and what would be accepted; shown to the user.
    :param nodes: of a scale manager: the nodes that are not in the group.
    """

    def __init__(self, path: str, reason: str, nodes: Sequence[str] = ()) -> None:
        super().__init__(f'{path}: {reason}')
        self.path = path
        self.reason = reason
        self.nodes = tuple(nodes)


class FailedError(DriverError):
    """The operation cannot succeed, however often it is tried.

    :param user: shown to the user.
    :param operator: goes to the conductor's log only.
    """

    def __init__(self, user: str, operator: str = '') -> None:
        super().__init__(user)
        self.user = user
        self.operator = operator


class NotSupported(DriverError):
    """The driver lacks a capability that the operation needs."""


class CloudError(DriverError):
    """The cloud refused a call for good (a 4xx); the text is the cloud's own."""


class CloudUnavailable(CloudError):
    """The cloud did not answer, or not in a way that decides; the step is taken again later."""


class Unanswered(CloudUnavailable):
    """Nobody knows whether the call took effect; it may still do so."""
