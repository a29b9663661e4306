"""What a driver answers: Progress after a step, Status when asked. Frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Done:
    """The step has nothing left to do."""


@dataclass(frozen=True)
class Waiting:
    """The cloud is at work; take the step again later.

    :ivar reason: one line for the user: what is being waited for.
    :ivar check_after_s: seconds before a look is worth it; None leaves the pace to the conductor.
    :ivar trouble: what went wrong and was tried again, else ''. It stands until ``reason`` changes
        without one; the conductor gives an operation up whose trouble stands too long.
    """

    reason: str
    check_after_s: float | None = None
    trouble: str = ''


@dataclass(frozen=True)
class Failed:
    """The step ended badly, and repeating it will not help.

    :ivar code: a word for programs: ``stack-failed``, ``quota``, ...
    :ivar text: for the user: the cause, and what to do.
    """

    code: str
    text: str


Progress = Done | Waiting | Failed
DONE = Done()


@dataclass(frozen=True)
class Status:
    """What is there now, as far as the cloud can tell.

    :ivar state: ``ABSENT``, ``IN_PROGRESS``, ``COMPLETE`` or ``FAILED``: the worst of the stacks.
    :ivar reason: the text of what failed, else ''.
    :ivar backend_id: the id of the base stack: ``stack_id`` on the wire.
    :ivar api_address: URL of the COE's API, or None.
    :ivar coe_version: version of the COE, or None.
    :ivar group_backend_ids: ``{node group uuid: id of its first stack}``.
    :ivar group_addresses: ``{node group uuid: (address, ...)}``.
    :ivar group_states: ``{node group uuid: state}``, words as ``state``.
    """

    state: str
    reason: str = ''
    backend_id: str | None = None
    api_address: str | None = None
    coe_version: str | None = None
    container_version: str | None = None
    group_backend_ids: Mapping[str, str] = field(default_factory=dict)
    group_addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group_states: Mapping[str, str] = field(default_factory=dict)
