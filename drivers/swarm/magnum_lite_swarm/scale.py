"""Which members of a worker group clients mean, by server id or by index; and which do least."""

from collections.abc import Sequence

from magnum_lite.driver_sdk import Cloud, ClusterSpec, NodeGroupSpec, Rejected
from magnum_lite.driver_sdk.scale import chosen, surplus
from magnum_lite_swarm import names, nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError


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
        group = self._group(node_group)
        return chosen(self._members(group), group.name, nodes)

    def spare(self, node_group: str, *, timeout_s: float) -> tuple[int, ...]:
        """Indexes of the members that are too many: those on which no task runs, then those with
        the fewest; of equal ones the last.

        :param node_group: as for ``indexes``.
        :param timeout_s: for all that managers are asked; where they do not answer, none.
        :raises Rejected: no group of workers.
        """
        group = self._group(node_group)
        members = self._members(group)
        count = surplus(members, group)
        left = {
            server: int(index)
            for index, server in members.items()
            if int(index) not in group.removed
        }
        if not count:
            return ()
        try:
            manager = Manager(self.spec, self._address(), timeout_s=timeout_s)
            ready = [n for n in nodes.listed(manager) if n.is_ready and n.server in left]
            busy = nodes.tasks(manager, ready)
        except (SilentError, RefusedError):
            return ()
        # A node that is down, or that never joined, has no task and is not missed.
        at_work = {node.server: (busy[node.id], 1) for node in ready}
        order = sorted(left, key=lambda server: (*at_work.get(server, (0, 0)), -left[server]))
        return tuple(sorted(left[server] for server in order[:count]))

    def _group(self, uuid: str) -> NodeGroupSpec:
        group = next((g for g in self.spec.worker_groups if g.uuid == uuid), None)
        if group is None:
            raise Rejected('nodegroup', f'{uuid} is no worker group of the cluster')
        return group

    def _members(self, group: NodeGroupSpec) -> dict[str, str]:
        view = self.cloud.heat.get(names.worker_stack(self.spec, group))
        refs = view.outputs.get('refs_map') if view else None
        return {str(index): str(server) for index, server in (refs or {}).items()}

    def _address(self) -> str | None:
        view = self.cloud.heat.get(names.base_stack(self.spec))
        found = view.outputs.get('api_address') if view else None
        return str(found) if found else None
