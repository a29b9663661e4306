"""ScaleManager: which members of a group an autoscaler or a healer means."""

from collections.abc import Sequence
from typing import Protocol


class ScaleManager(Protocol):
    """Maps what clients name to what the driver can remove."""

    def indexes(self, node_group: str, nodes: Sequence[str]) -> tuple[int, ...]:
        """Member indexes of nodes.

        :param node_group: uuid of the group.
        :param nodes: server ids, or indexes as text.
        :raises Rejected: some nodes are not in the group: all of them as ``nodes``, so that those
            that have gone since they were named can be left out.
        """
