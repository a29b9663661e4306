"""The Kubernetes driver keeps the contract."""

import dataclasses
from pathlib import Path

from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.contract import DriverContract
from magnum_lite_kubernetes.driver import Kubernetes


class TestKubernetes(DriverContract):
    """D1 to D21."""

    driver = Kubernetes
    rendered = frozenset({'manifests/flannel.yaml'})
    # Samples of the environment files that the scripts source.
    shellcheck = ('-x', '-P', 'SCRIPTDIR', '-P', str(Path(__file__).parent))

    def roomy(self):
        """Addresses for a million nodes."""
        return example.spec(
            Kubernetes(),
            config={'flannel_network_cidr': '16.0.0.0/4', 'fixed_subnet_cidr': '172.16.0.0/12'},
        )

    def scenarios(self):
        """The common ones, and nodes that keep containers on a volume."""
        small = example.spec(Kubernetes(), server_type='vm')
        groups = tuple(dataclasses.replace(g, docker_volume_size=10) for g in small.node_groups)
        return super().scenarios() | {'vm-volumes': dataclasses.replace(small, node_groups=groups)}
