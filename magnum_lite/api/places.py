"""Places for work that anybody may ask for: few at a time, and not all of them for one project."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from magnum_lite.exceptions import Unavailable


class Places:
    """So many places, of which one owner has half at most.

    :param what: the sentence that refuses says that it does not answer.
    """

    def __init__(self, most: int, what: str):
        self._most = most
        self._what = what
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, owner: str) -> Iterator[None]:
        """Have a place while the block runs.

        :raises Unavailable: none is free, or the owner has half of them.
        """
        with self._lock:
            if self._taken.total() >= self._most or self._taken[owner] >= (self._most + 1) // 2:
                raise Unavailable(what=self._what)
            self._taken[owner] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[owner] -= 1
                if not self._taken[owner]:
                    del self._taken[owner]
