"""Which members of a worker group clients mean: by server id, or by index."""

from collections.abc import Sequence

from magnum_lite.driver_sdk import Cloud, ClusterSpec, Rejected
from magnum_lite.driver_sdk.scale import chosen
from magnum_lite_swarm import names


class Members:
    """Maps nodes to member indexes through the output ``refs_map`` of the group's stack."""

    def __init__(self, cloud: Cloud, spec: ClusterSpec) -> None:
        self.cloud = cloud
        self.spec = spec

    def indexes(self, node_group: str, nodes: Sequence[str]) -> tuple[int, ...]:
        """Sorted member indexes of nodes.

        :param node_group: uuid of the group.
        :param nodes: server ids, or indexes as text.
        :raises Rejected: nodes that are not in the group, or no group of workers.
        """
        group = next((g for g in self.spec.worker_groups if g.uuid == node_group), None)
        if group is None:
            raise Rejected('nodegroup', f'{node_group} is no worker group of the cluster')
        view = self.cloud.heat.get(names.worker_stack(self.spec, group))
        refs = view.outputs.get('refs_map') if view else None
        members = {str(index): str(server) for index, server in (refs or {}).items()}
        return chosen(members, group.name, nodes)
