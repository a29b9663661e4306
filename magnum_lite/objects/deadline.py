"""How long an operation may take before it is given up."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

# Minutes that creating a cluster took at CERN in 2017, by nodes (2 nodes: 2.5 min, ... 1000: 23);
# four times that, and never under a quarter of an hour.
_NODES = (2, 16, 32, 128, 512, 1000)
_MINUTES = (2.5, 4, 4, 5.5, 14, 23)


def timeout_min(nodes: int, create_timeout: int | None = None) -> int:
    """Minutes for an operation on a cluster of that many nodes; 0 for no limit.

    :param create_timeout: what the user asked for; only a creation heeds it.
    """
    if create_timeout is not None:
        return create_timeout
    row = min(bisect_left(_NODES, nodes), len(_NODES) - 1)
    minutes = _MINUTES[row] * max(1.0, nodes / _NODES[-1])
    return max(15, round(4 * minutes))


def of_groups(groups: Iterable[Any]) -> int:
    """Minutes for an operation on all nodes of some groups.

    :param groups: NodeGroups, or their rows.
    """
    return timeout_min(sum(group.node_count for group in groups))
