"""What a driver answers: Progress after a step, Status when asked. Frozen."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from magnum_lite.driver_sdk.cause import Cause

MOST_CURSOR = 4096  # bytes of a cursor as JSON
MOST_PAUSE_S = 86400  # between two looks
MOST_CODE = 64  # characters of a code
MOST_THINGS = 2**31 - 1  # a signed 32-bit column on every database
STATES = ('ABSENT', 'IN_PROGRESS', 'COMPLETE', 'FAILED')
_WORD = re.compile('[a-z][a-z0-9-]{0,31}')


@dataclass(frozen=True)
class Done:
    """The step has nothing left to do."""


@dataclass(frozen=True)
class Waiting:
    """The cloud is at work; take the step again later.

    :ivar reason: one line for the user: what is being waited for.
    :ivar check_after_s: seconds before a look is worth it, at most ``MOST_PAUSE_S``; None leaves
        the pace to the conductor.
    :ivar trouble: what went wrong and was tried again, else ''. It stands until reason, phase or
        numbers change without one; the conductor gives an operation up whose trouble stands too
        long.
    :ivar causes: of the trouble, where they are known.
    :ivar phase: a word of the driver's for the part of its way that the operation is in, such as
        ``drain``: lower case, digits, dashes. None says nothing: the operation stays where it was.
    :ivar done: how many of ``total`` things of this phase are done; the phase says of what things.
    :ivar total: how many there are; None like ``done`` where nobody can count them.
    :ivar cursor: a JSON value of at most ``MOST_CURSOR`` bytes, with which the next step goes on
        (``spec.cursor``); nobody else reads it.
    :raises ValueError: one of them is not as said here.
    """

    reason: str
    check_after_s: float | None = None
    trouble: str = ''
    causes: tuple[Cause, ...] = ()
    phase: str | None = field(default=None, kw_only=True)
    done: int | None = field(default=None, kw_only=True)
    total: int | None = field(default=None, kw_only=True)
    cursor: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (
            problem := _problem_of_texts(self.causes, reason=self.reason, trouble=self.trouble)
            or _problem_of_pause(self.check_after_s)
            or _problem_of_phase(self)
            or _problem_of_cursor(self.cursor)
        ):
            raise ValueError(problem)


@dataclass(frozen=True)
class Failed:
    """The step ended badly, and repeating it will not help.

    :ivar code: a word for programs, of at most ``MOST_CODE`` characters: ``stack-failed``,
        ``quota``, ...
    :ivar text: for the user: the cause, and what to do.
    :ivar causes: what failed in the cloud, the first cause first, where that is known.
    :raises ValueError: one of them is not as said here.
    """

    code: str
    text: str
    causes: tuple[Cause, ...] = ()

    def __post_init__(self) -> None:
        problem = _problem_of_texts(self.causes, code=self.code, text=self.text)
        if not problem and not 0 < len(self.code) <= MOST_CODE:
            problem = f'code {self.code!r} is no word of at most {MOST_CODE} characters'
        if problem:
            raise ValueError(problem)


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
    :ivar group_members: ``{node group uuid: {member index as text: server id}}`` of all nodes of a
        group that a scale manager can name, of the generation that a step builds; a group whose
        nodes nobody can name is absent.
    :raises ValueError: one of them is not as said here.
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
    group_members: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if problem := _problem_of_shown(self) or _problem_of_groups(self):
            raise ValueError(problem)


def _problem_of_shown(status: Status) -> str:
    if status.state not in STATES:
        return f'state {status.state!r} is none of {", ".join(STATES)}'
    for name in ('backend_id', 'api_address', 'coe_version', 'container_version'):
        if not isinstance(getattr(status, name), str | None):
            return f'{name} is no text: {getattr(status, name)!r}'
    return _problem_of_texts((), reason=status.reason)


def _problem_of_groups(status: Status) -> str:
    for name, is_right in _OF_GROUPS.items():
        groups = getattr(status, name)
        if not isinstance(groups, Mapping):
            return f'{name} is no mapping: {groups!r}'
        for uuid, value in groups.items():
            if not isinstance(uuid, str) or not is_right(value):
                return f'{name}: {value!r} of {uuid!r} is not what the contract says'
    return ''


_OF_GROUPS: Mapping[str, Callable[[Any], bool]] = {
    'group_backend_ids': lambda value: isinstance(value, str),
    'group_states': lambda value: value in STATES,
    'group_addresses': lambda value: (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(address, str) for address in value)
    ),
    'group_members': lambda value: (
        isinstance(value, Mapping)
        and all(isinstance(text, str) for pair in value.items() for text in pair)
    ),
}


def _problem_of_texts(causes: Any, **texts: Any) -> str:
    for name, text in texts.items():
        if not isinstance(text, str):
            return f'{name} is no text: {text!r}'
    if not isinstance(causes, Sequence) or not all(isinstance(cause, Cause) for cause in causes):
        return f'causes are no sequence of Cause: {causes!r}'
    return ''


def _problem_of_pause(check_after_s: Any) -> str:
    if (
        check_after_s is None
        or isinstance(check_after_s, int | float)
        and 0 <= check_after_s <= MOST_PAUSE_S
    ):  # no NaN either
        return ''
    return f'check_after_s is no number from 0 to {MOST_PAUSE_S}: {check_after_s!r}'


def _problem_of_phase(waiting: Waiting) -> str:
    phase, done, total = waiting.phase, waiting.done, waiting.total
    if phase is None:
        extra = [name for name in ('done', 'total', 'cursor') if getattr(waiting, name) is not None]
        return f'{" and ".join(extra)} without a phase' if extra else ''
    if not _WORD.fullmatch(phase):
        return f'phase {phase!r} is no word of at most 32 letters in lower case, digits and dashes'
    if (done is None) != (total is None):
        return f'phase {phase}: done and total are given together'
    if any(type(count) is not int for count in (done, total) if count is not None):
        return f'phase {phase}: done and total are whole numbers'
    if done is not None and total is not None and not 0 <= done <= total <= MOST_THINGS:
        return f'phase {phase}: {done} of {total} things cannot be done'
    return ''


def _problem_of_cursor(cursor: Any) -> str:
    try:
        text = json.dumps(cursor, allow_nan=False, separators=(',', ':'))
        is_same = json.loads(text) == cursor
    except (TypeError, ValueError, RecursionError) as error:
        return f'the cursor is no JSON: {error}'
    if not is_same:
        return 'the cursor is another one when it is read back from JSON: give lists and text keys'
    size = len(text)  # all of it is ASCII
    return (
        f'the cursor has {size} bytes as JSON, at most {MOST_CURSOR} are kept'
        if size > MOST_CURSOR
        else ''
    )
