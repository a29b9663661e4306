"""The driver of swarms keeps the contract."""

import dataclasses
from pathlib import Path

from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.contract import DriverContract
from magnum_lite_swarm.driver import Swarm


class Unasked(Swarm):
    """One that makes managers anew where there is no swarm to ask; ``test_rolling`` has one."""

    leave = replace_root = staticmethod(lambda *asked: None)


class TestSwarm(DriverContract):
    """D1 to D21."""

    driver = Swarm
    stepped = Unasked
    # Users deploy them, nodes are not given them.
    rendered = frozenset(
        f'monitoring/{name}'
        for name in (
            *('stack.yaml', 'prometheus.yaml', 'datasources.yaml', 'dashboards.yaml'),
            'swarm.json',
        )
    )
    # Samples of the environment files that the scripts source.
    shellcheck = ('-x', '-P', 'SCRIPTDIR', '-P', str(Path(__file__).parent))

    def roomy(self):
        """Addresses for a million nodes."""
        return example.spec(Swarm(), config={'fixed_subnet_cidr': '192.0.0.0/8'})

    def scenarios(self):
        """The common ones, nodes that keep containers on a volume, and three managers."""
        small = example.spec(Swarm(), server_type='vm')
        volumes = tuple(dataclasses.replace(g, docker_volume_size=10) for g in small.node_groups)
        three = dataclasses.replace(small.control_plane, node_count=3)
        net = dataclasses.replace(small.network, master_lb_enabled=True)
        return super().scenarios() | {
            'vm-volumes': dataclasses.replace(small, node_groups=volumes),
            'vm-three-managers': dataclasses.replace(
                small, network=net, node_groups=(three, *small.worker_groups)
            ),
        }
