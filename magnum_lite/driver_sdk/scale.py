"""ScaleManager: which members of a group an autoscaler or a healer means, or can be spared."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from magnum_lite.driver_sdk.errors import Rejected
from magnum_lite.driver_sdk.spec import NodeGroupSpec


class ScaleManager(Protocol):
    """Maps what clients name to what the driver can remove."""

    def indexes(self, node_group: str, nodes: Sequence[str]) -> tuple[int, ...]:
        """Member indexes of nodes.

        :param node_group: uuid of the group.
        :param nodes: server ids, or indexes as text.
        :raises Rejected: some nodes are not in the group: all of them as ``nodes``, so that those
            that have gone since they were named can be left out.
        """


class SparingScaleManager(ScaleManager, Protocol):
    """One that knows besides which members do least; a scale manager need not."""

    def spare(self, node_group: str, *, timeout_s: float) -> tuple[int, ...]:
        """Member indexes that go before others, now that a group is to be smaller.

        Asked once in an operation, before anything is done. What it leaves open, others decide:
        Heat takes away those with the highest indexes.

        :param node_group: uuid of the group, whose spec says how many are to stay.
        :param timeout_s: for all that the cluster is asked.
        :returns: at most as many as ``surplus``; none where the cluster does not tell in time.
        """


def surplus(members: Mapping[str, str], group: NodeGroupSpec) -> int:
    """How many members a group has that are to go, beside those that are named.

    :param members: as for ``chosen``.
    """
    left = [index for index in members if int(index) not in group.removed]
    return max(0, len(left) - group.node_count)


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
