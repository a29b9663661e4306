"""Who waits for whom, once a notification could not be sent.

A broker that is away and a broker that refuses one notification answer alike, until another one
goes. So what failed is left out while those of other clusters are tried; as soon as one of them
goes, what failed is tried once more, and is to blame if it fails just then. Nobody is blamed while
nothing goes, for days if it must be.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

LOG = logging.getLogger(__name__)
TRIES = 10  # of a notification that fails while others go; then its cluster goes on
ASIDE_S = 3600  # until it is tried again


class Patience:
    """What a worker remembers of failures.

    :param clock: gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._doubtful: dict[int, str] = {}  # id: cluster, of those that may not be to blame
        self._blamed: Counter[int] = Counter()
        self._due: dict[int, float] = {}  # when one that was set aside is tried again
        self._behind: set[str] = set()  # clusters of which one has to go first
        self._is_well = False  # whether the last one went
        self._is_idle = True  # whether nothing was tried in this pass

    def start_pass(self) -> None:
        """A pass over what waits begins."""
        self._behind = set(self._doubtful.values())
        self._is_idle = True

    def may_go(self, ident: int, cluster: str) -> bool:
        """Whether a notification is to be tried in this pass."""
        return cluster not in self._behind and self._due.get(ident, 0) <= self._clock()

    def went(self, ident: int) -> None:
        """The broker has it."""
        self._is_well, self._is_idle = True, False
        del self._blamed[ident]
        self._due.pop(ident, None)

    def failed(self, ident: int, cluster: str) -> bool:
        """It could not be sent; whether to try others in this pass."""
        was_well, self._is_well, self._is_idle = self._is_well, False, False
        if ident in self._due:
            self._due[ident] = self._clock() + ASIDE_S
            return True
        self._behind.add(cluster)
        if not was_well:
            self._doubtful[ident] = cluster
            return False
        self._blamed[ident] += 1
        if self._blamed[ident] >= TRIES:
            LOG.error(
                'The broker takes others and not notification %s of cluster %s: it is tried '
                'again now and then, and those after it are sent',
                ident,
                cluster,
            )
            self._due[ident] = self._clock() + ASIDE_S
            self._behind.discard(cluster)
        return True

    def again(self) -> bool:
        """Whether another pass follows at once, for what was left out in this one."""
        if not self._doubtful or not (self._is_well or self._is_idle):
            return False
        self._doubtful.clear()
        return True
