"""Nodes of a swarm, as its managers list them."""

import itertools
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from magnum_lite_swarm.client import Manager, RefusedError

# What the engine of a node says of it, by which server it is.
SERVER = 'magnum-lite.server'
MOST_ASKED = 50  # nodes of one request, whose answer has all of their tasks
WORKING = frozenset({'assigned', 'accepted', 'preparing', 'ready', 'starting', 'running'})


@dataclass(frozen=True)
class Node:
    """One line of the list.

    :ivar server: its id in Nova; '' of a node that was not made by the driver.
    :ivar reachable: of a manager, whether the others reach it.
    """

    id: str
    hostname: str
    server: str
    is_manager: bool
    is_ready: bool
    is_down: bool
    availability: str
    reachable: bool

    @classmethod
    def of(cls, row: Any) -> 'Node':
        """From what the API has; what is missing is as of a node that is not there."""
        spec, status = row.get('Spec') or {}, row.get('Status') or {}
        description = row.get('Description') or {}
        labels = (description.get('Engine') or {}).get('Labels') or {}
        manager = row.get('ManagerStatus') or {}
        return cls(
            id=str(row.get('ID', '')),
            hostname=str(description.get('Hostname') or row.get('ID', '')),
            server=str(labels.get(SERVER, '')),
            is_manager=spec.get('Role') == 'manager',
            is_ready=status.get('State') == 'ready',
            is_down=status.get('State') == 'down',
            availability=str(spec.get('Availability', '')),
            reachable=manager.get('Reachability') == 'reachable',
        )


def listed(manager: Manager) -> list[Node]:
    """All nodes.

    :raises SilentError: no answer.
    :raises RefusedError: there is no swarm, or no leader.
    """
    rows = manager.ask('GET', '/nodes')
    if not isinstance(rows, list):
        raise RefusedError(200, 'answers what is no list of nodes')
    return [Node.of(row) for row in rows if isinstance(row, dict)]


def tasks(manager: Manager, found: Iterable[Node]) -> Counter[str]:
    """How many tasks are at work on nodes, by the ids of these.

    :raises SilentError: no answer.
    :raises RefusedError: as for ``listed``.
    """
    counts: Counter[str] = Counter()
    ids = iter([node.id for node in found])
    while some := list(itertools.islice(ids, MOST_ASKED)):
        wanted = {'desired-state': {'running': True}, 'node': dict.fromkeys(some, True)}
        rows = manager.ask('GET', f'/tasks?filters={quote(json.dumps(wanted))}') or []
        counts.update(
            row.get('NodeID') for row in rows if (row.get('Status') or {}).get('State') in WORKING
        )
    return counts
