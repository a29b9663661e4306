"""Failure injection around a real Cloud: a call that dies before or after it takes effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from magnum_lite.driver_sdk.cloud import Heat, StackView


class Killed(BaseException):
    """The process died here; no driver may catch it."""


@dataclass
class Call:
    """A call of Heat that was made.

    :ivar method: ``create``, ``update``, ``delete``, ``get``, ``list`` or ``failures``.
    """

    method: str
    args: tuple[Any, ...]

    @property
    def changes(self) -> bool:
        """Whether it changes something in the cloud."""
        return self.method in ('create', 'update', 'delete')


@dataclass
class FailingHeat:
    """A Heat that records what it is asked, and fails once.

    :ivar heat: the real one.
    :ivar at: the number, from 1, of the call that fails among those named in ``counted``; 0 none.
    :ivar after: whether the call takes effect before it fails.
    :ivar error: what is raised; ``Killed`` stands for the death of the process.
    """

    heat: Heat
    at: int = 0
    after: bool = False
    error: type[BaseException] = Killed
    counted: frozenset[str] = frozenset({'create', 'update', 'delete', 'get'})
    calls: list[Call] = field(default_factory=list)
    failed: bool = False

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

    def delete(self, stack: str) -> None:
        """As the real one."""
        self._call('delete', stack)

    def failures(self, stack: str) -> Sequence[str]:
        """As the real one."""
        return self._call('failures', stack)  # type: ignore[no-any-return]

    def _call(self, method: str, *args: Any) -> Any:
        self.calls.append(Call(method, args))
        number = sum(call.method in self.counted for call in self.calls)
        fails = method in self.counted and number == self.at and not self.failed
        if fails and not self.after:
            self.failed = True
            raise self.error(f'before call {number}, {method}')
        answer = getattr(self.heat, method)(*args)
        if fails:
            self.failed = True
            raise self.error(f'after call {number}, {method}')
        return answer


@dataclass
class FailingCloud:
    """A Cloud around a ``FailingHeat``."""

    heat: FailingHeat
