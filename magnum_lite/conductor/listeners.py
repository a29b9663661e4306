"""What hears for a worker: the API's wakes and questions, and what backends notify of."""

import threading
from collections.abc import Callable, Sequence

from magnum_lite.driver_sdk.backend import Listener


class Listeners:
    """The loop in which the listeners to one source run: while a broker is down, their start
    blocks.

    :param make: makes them, not started.
    :param made: the first ones, where they have to be made before the loop runs.
    """

    def __init__(self, make: Callable[[], Sequence[Listener]], made: Sequence[Listener] = ()):
        self._make, self._made = make, made
        self._stopping = threading.Event()

    def run(self) -> None:
        """Listen until stopped."""
        listeners, self._made = self._made or self._make(), ()
        started = []
        try:
            for listener in listeners:
                listener.start()
                started.append(listener)
            self._stopping.wait()
        finally:
            for listener in started:
                listener.stop()
                listener.wait()

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()
