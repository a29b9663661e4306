"""Failure injection around a real cloud: a call that dies before or after it takes effect."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from magnum_lite.driver_sdk.cause import Cause
from magnum_lite.driver_sdk.cloud import Heat, StackView


class Killed(BaseException):
    """The process died here; no driver may catch it."""


@dataclass
class Call:
    """A call that was made.

    :ivar changes: whether it changes something in the cloud.
    """

    method: str
    args: tuple[Any, ...]
    changes: bool


@dataclass
class Failing:
    """What a driver calls, recording what it is asked, and failing once; a subclass has a method
    for each of the real one's, which hands it to ``_call``.

    :cvar changing: the methods that change something.
    :ivar real: what the calls go to.
    :ivar at: the number, from 1, of the call that fails among those named in ``counted``; 0 none.
    :ivar after: whether the call takes effect before it fails.
    :ivar always: whether each of them fails, and not only one.
    :ivar error: what is raised; ``Killed`` stands for the death of the process.
    """

    changing: ClassVar[frozenset[str]]

    real: Any
    at: int = 0
    after: bool = False
    error: type[BaseException] = Killed
    counted: frozenset[str] = frozenset()
    calls: list[Call] = field(default_factory=list)
    failed: bool = False
    always: bool = False

    def _call(self, method: str, *args: Any) -> Any:
        self.calls.append(Call(method, args, method in self.changing))
        number = self.count()
        is_it = self.always or number == self.at and not self.failed
        fails = method in self.counted and is_it
        if fails and not self.after:
            self.failed = True
            raise self.error(f'before call {number}, {method}')
        answer = getattr(self.real, method)(*args)
        if fails:
            self.failed = True
            raise self.error(f'after call {number}, {method}')
        return answer

    def count(self) -> int:
        """How many calls were made that count."""
        return sum(call.method in self.counted for call in self.calls)


@dataclass
class FailingHeat(Failing):
    """A Heat that records what it is asked, and fails once."""

    changing: ClassVar[frozenset[str]] = frozenset({'create', 'update', 'delete'})

    real: Heat
    counted: frozenset[str] = frozenset({'create', 'update', 'replace', 'delete'})

    def list(self, tag: str) -> Sequence[StackView]:
        """As the real one."""
        return self._call('list', tag)  # type: ignore[no-any-return]

    def get(self, stack: str) -> StackView | None:
        """As the real one."""
        return self._call('get', stack)  # type: ignore[no-any-return]

    def create(self, name: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> str:
        """As the real one."""
        return self._call('create', name, arguments, tags)  # type: ignore[no-any-return]

    def update(self, stack: str, arguments: Mapping[str, Any], tags: Sequence[str]) -> None:
        """As the real one."""
        self._call('update', stack, arguments, tags)

    def replace(self, stack: str, things: Collection[str]) -> Sequence[str]:
        """As the real one."""
        return self._call('replace', stack, things)  # type: ignore[no-any-return]

    def delete(self, stack: str) -> None:
        """As the real one."""
        self._call('delete', stack)

    def failures(self, stack: str) -> Sequence[Cause]:
        """As the real one."""
        return self._call('failures', stack)  # type: ignore[no-any-return]


@dataclass
class FailingCloud:
    """A Cloud around a ``FailingHeat``."""

    heat: FailingHeat
