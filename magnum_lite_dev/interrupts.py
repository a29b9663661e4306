"""SIGINT, SIGTERM and SIGHUP as one exception, which can be held back where it would do harm."""

import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants this program to end; like KeyboardInterrupt, no ``except`` should eat it."""


class Interrupts:
    """Raises :class:`Interrupted` in the main thread when a signal arrives."""

    def __init__(self) -> None:
        self._held = 0
        self._pending = False

    def install(self) -> None:
        """Take over the signals of this process."""
        for number in SIGNALS:
            signal.signal(number, self._arrived)

    def _arrived(self, number, frame) -> None:
        if self._held:
            self._pending = True
        else:
            raise Interrupted

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What runs inside is finished first: a process is started and written down, or neither.

        :raises Interrupted: afterwards, if a signal arrived meanwhile.
        """
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._pending and not self._held:
            self._pending = False
            raise Interrupted

    def ignore(self) -> None:
        """From here on nothing interrupts: the end is being tidied up."""
        self._held += 1


INTERRUPTS = Interrupts()
