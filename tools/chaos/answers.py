"""Every answer that users got, and what it promised."""

import json
import threading
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Answer:
    """What became of one request.

    :ivar status: of HTTP; None if no answer came: the change may have been made.
    :ivar cluster: uuid of the cluster; None where a creation's answer did not come.
    :ivar name: of the cluster.
    :ivar group: name of the node group that a change is about; None for other changes.
    """

    project: str
    kind: str
    name: str
    cluster: str | None
    status: int | None
    request_id: str | None
    group: str | None = None

    @property
    def is_accepted(self):
        """Whether the service promised to do it."""
        return self.status is not None and 200 <= self.status < 300


class Answers:
    """All of them, in the order in which they came; each is in the file before the next request.

    :param path: of a file with one JSON object a line.
    """

    def __init__(self, path):
        self._path = path
        self._lock = threading.Lock()
        self._all = []

    def keep(self, answer):
        """Keep one."""
        with self._lock:
            self._all.append(answer)
            with self._path.open('a') as file:
                file.write(json.dumps(asdict(answer)) + '\n')

    def all(self):
        """A copy of the list."""
        with self._lock:
            return list(self._all)

    def counts(self):
        """{accepted, refused, failed, unknown: how many requests}."""
        found = dict.fromkeys(('accepted', 'refused', 'failed', 'unknown'), 0)
        for answer in self.all():
            found[_outcome(answer)] += 1
        return found


def _outcome(answer):
    if answer.status is None:
        return 'unknown'
    if answer.is_accepted:
        return 'accepted'
    return 'refused' if answer.status < 500 else 'failed'
