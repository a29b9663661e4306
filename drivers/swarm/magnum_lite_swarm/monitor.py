"""The health of a swarm, as its managers tell it."""

from magnum_lite.driver_sdk import ClusterSpec, Health
from magnum_lite_swarm import nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError

MOST_NODES = 40  # named one by one


class SwarmMonitor:
    """Asks a manager for the nodes of the swarm, by a certificate of the cluster's authority."""

    def __init__(self, spec: ClusterSpec) -> None:
        self.spec = spec

    def look(self, *, timeout_s: float) -> Health:
        """One look.

        A manager that cannot be reached is UNKNOWN: it may be private, or something on the way
        answers in its place. One that refuses, or that knows no leader, and a node that is not
        ready, are UNHEALTHY.
        """
        try:
            manager = Manager(self.spec, self.spec.api_address, timeout_s=timeout_s)
            found = nodes.listed(manager)
        except RefusedError as error:
            return Health('UNHEALTHY', {'api': 'ok', 'managers': str(error)})
        except SilentError as error:
            if error.refused and self.spec.network.floating_ip_enabled:
                return Health('UNHEALTHY', {'api': str(error)})
            why = f'{error}, an address of its own network' if error.refused else str(error)
            return Health('UNKNOWN', {'api': why})
        return _health(found)


def _health(found: list[nodes.Node]) -> Health:
    present = {node.hostname for node in found if node.is_ready}
    # Another server has taken the place, and the name, of one that is lost.
    found = [node for node in found if node.is_ready or node.hostname not in present]
    managers = [node for node in found if node.is_manager]
    reachable = sum(node.reachable for node in managers)
    ready = sum(node.is_ready for node in found)
    reason = {
        'api': 'ok',
        'managers': f'{reachable} of {len(managers)} reachable',
        'nodes': f'{ready} of {len(found)} ready',
    }
    drained = sum(node.availability != 'active' for node in found)
    if drained:
        reason['nodes'] += f', {drained} take no tasks'
    for node in sorted(found, key=lambda node: (node.is_ready, node.hostname))[:MOST_NODES]:
        if not node.is_ready:
            reason[f'{node.hostname}.Ready'] = 'False'
        if node.availability != 'active':
            reason[f'{node.hostname}.Availability'] = node.availability
    is_well = ready == len(found) and reachable == len(managers)
    return Health('HEALTHY' if is_well else 'UNHEALTHY', reason)
