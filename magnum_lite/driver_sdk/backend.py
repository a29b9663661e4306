"""Backend: what the service asks of the place where drivers build, beside the steps of drivers.

Heat is the service's own. A driver that builds elsewhere brings another, or none: the defaults here
are those of a place of which the service knows nothing. Then each step looks for itself, what the
driver says is believed, nothing is compared, and no rights but those of the cluster are tried.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from magnum_lite.driver_sdk.status import DONE, Progress

HEAT = 'heat'  # what a driver calls the service's own


class Found(Protocol):
    """A part of a cluster as it is; ``StackView`` is one."""

    @property
    def name(self) -> str:
        """Its name, as in the plan."""

    @property
    def status(self) -> str:
        """What people of that place call its state."""

    @property
    def reason(self) -> str:
        """Why it is so, or an empty text."""

    @property
    def in_progress(self) -> bool:
        """Whether something is at work on it."""

    @property
    def complete(self) -> bool:
        """Whether it is there, and at rest as it was last asked to be."""

    @property
    def gone(self) -> bool:
        """Whether it is shown though it is there no more."""

    @property
    def cluster(self) -> str | None:
        """Uuid of the cluster whose it says it is; None if it does not say."""

    @property
    def digest(self) -> str | None:
        """``Part.digest`` of what it was last asked to be."""

    @property
    def attempt(self) -> str | None:
        """Uuid of the operation that asked."""


Look = Mapping[str, Sequence[Found]]  # {cluster uuid: its parts}


@dataclass(frozen=True)
class Members:
    """What a part has made of nodes.

    :ivar nodes: how many there are.
    :ivar servers: ids of servers of Nova, also of those that are lost.
    """

    nodes: int = 0
    servers: tuple[str, ...] = ()


class Lease(Protocol):
    """How long a step may call out; another worker may take the next one when it has ended."""

    def admit(self, timeout_s: float) -> None:
        """Let a call begin that ends within ``timeout_s``.

        :raises CloudUnavailable: it could outlast the lease, or this worker is to stop.
        """

    def unanswered(self) -> None:
        """Note that a call which makes something ended, and nobody knows whether it took effect."""


class Listener(Protocol):
    """Hears what a backend tells, in threads of its own."""

    def start(self) -> None:
        """Begin; may block while there is nobody to hear."""

    def stop(self) -> None:
        """Hear nothing more."""

    def wait(self) -> None:
        """Wait until what was heard is served."""


class Access:
    """A backend with somebody's rights, for one step.

    :ivar cloud: what methods of drivers are given.
    """

    def __init__(self, cloud: Any):
        self.cloud = cloud

    @property
    def changes(self) -> int:
        """How many calls of this step have changed something."""
        return 0

    def begins(self, cluster: str) -> None:
        """Know that nothing of a cluster exists yet: saves the first look."""

    def shown(self) -> Mapping[str, Found]:
        """``{name: part}`` as the step's last look showed them, but for what was being deleted."""
        return {}

    def find(self, name: str) -> Found | None:
        """A part of the cluster, by name; None if there is none."""
        return None

    def remove(self, names: Sequence[str]) -> Sequence[str]:
        """Begin to delete what is still there of these names, after the driver was done with it.

        :returns: names of what is still there.
        """
        return ()

    def members(self, part: str) -> Members:
        """What a part has made, by name or id."""
        return Members()

    def renew(self, cluster: str, attempt: str) -> Progress:
        """Take a step towards parts that the backend goes on with by the rights of this access."""
        return DONE


class Backend:
    """A place where drivers build. One object serves all threads of a worker.

    :cvar title: what people call it.
    :cvar noun: what people call a part there.
    :cvar enrols: whether the service can find out to which cluster a server belongs, so that its
        nodes may fetch their secrets; see ``enrolment``.
    """

    title: ClassVar[str] = 'the cloud'
    noun: ClassVar[str] = 'part'
    enrols: ClassVar[bool] = False

    def open(self, who: Mapping[str, Any], lease: Lease, look: Look | None = None) -> Access:
        """Access for a step; without a backend of its own a driver is given the lease as its cloud.

        :param who: the identity whose rights are used.
        :param look: what was seen already, of this step's cluster and perhaps of others.
        """
        return Access(lease)

    def shut(self, lease: Lease) -> Access:
        """Access for the deletion of a cluster that nobody has rights for any more: there is
        nothing to be seen."""
        return Access(lease)

    def look(self, who: Mapping[str, Any]) -> Look | None:
        """All parts of all clusters of a project, in one look; None where there is no such look.

        :raises CloudError: it refuses, or does not answer.
        """
        return None

    def listeners(self, hurry: Callable[[str], None]) -> Sequence[Listener]:
        """Listeners, not started, that call ``hurry(cluster uuid)`` when a part's work ended."""
        return ()
