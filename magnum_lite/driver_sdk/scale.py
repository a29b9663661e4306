"""ScaleManager: which members of a group an autoscaler or a healer means."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from magnum_lite.driver_sdk.errors import Rejected


class ScaleManager(Protocol):
    """Maps what clients name to what the driver can remove."""

    def indexes(self, node_group: str, nodes: Sequence[str]) -> tuple[int, ...]:
        """Member indexes of nodes.

        :param node_group: uuid of the group.
        :param nodes: server ids, or indexes as text.
        :raises Rejected: some nodes are not in the group: all of them as ``nodes``, so that those
            that have gone since they were named can be left out.
        """


def chosen(members: Mapping[str, str], group: str, nodes: Sequence[str]) -> tuple[int, ...]:
    """Sorted member indexes of nodes, as ``ScaleManager.indexes`` gives them.

    :param members: ``{index: server id}``, as the output ``refs_map`` of the group's stack.
    :param group: its name, for the refusal.
    :param nodes: an index may be of a member that never became a server.
    :raises Rejected: nodes that are none of them.
    """
    by_name = {server: int(index) for index, server in members.items()} | {
        index: int(index) for index in members
    }
    strangers = [node for node in nodes if node not in by_name]
    if strangers:
        raise Rejected(
            'nodes_to_remove',
            f'{", ".join(strangers[:10])} is not in node group {group}',
            nodes=strangers,
        )
    return tuple(sorted({by_name[node] for node in nodes}))
