"""Which members of a worker group clients mean: by server id, or by index."""

from collections.abc import Sequence

from magnum_lite.driver_sdk import Cloud, ClusterSpec, NodeGroupSpec, Rejected
from magnum_lite.driver_sdk.scale import chosen
from magnum_lite_kubernetes import names, stacks


class Members:
    """Maps nodes to member indexes through the output ``refs_map`` of the group's stack."""

    def __init__(self, cloud: Cloud, spec: ClusterSpec) -> None:
        self.cloud = cloud
        self.spec = spec

    def indexes(self, node_group: str, nodes: Sequence[str]) -> tuple[int, ...]:
        """Sorted member indexes of nodes.

        :param node_group: uuid of the group.
        :param nodes: server ids, or indexes as text; an index may be of a member that never
            became a server.
        :raises Rejected: nodes that are not in the group, or a group that names no members.
        """
        group = self._group(node_group)
        return chosen(self._members(group), group.name, nodes)

    def _group(self, uuid: str) -> NodeGroupSpec:
        group = next((g for g in self.spec.worker_groups if g.uuid == uuid), None)
        if group is None:
            raise Rejected('nodegroup', f'{uuid} is no worker group of the cluster')
        if len(stacks.shards(self.spec, group)) > 1:
            raise Rejected(
                'nodes_to_remove',
                f'group {group.name} is kept in several stacks, '
                'where nodes cannot be chosen: set its max_node_count',
            )
        return group

    def _members(self, group: NodeGroupSpec) -> dict[str, str]:
        view = self.cloud.heat.get(names.worker_stack(self.spec, group, 0))
        refs = view.outputs.get('refs_map') if view else None
        return {str(index): str(server) for index, server in (refs or {}).items()}
