"""The driver itself: what it is, and which module answers what."""

import dataclasses
import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from magnum_lite.driver_sdk import (
    CONTRACT,
    Cloud,
    ClusterSpec,
    HeatDriver,
    Monitor,
    Plan,
    ScaleManager,
    Stack,
    StackView,
    Status,
    enrolment,
)
from magnum_lite_kubernetes import config, kubeadm, monitor, names, rules, scale, stacks

COE_VERSION = re.compile(r'v[0-9]+\.[0-9]+\.[0-9]+[-+.0-9A-Za-z]*')


class Kubernetes(HeatDriver):
    """Kubernetes by kubeadm on images that have it, on virtual and on physical machines."""

    name: ClassVar[str] = 'kubernetes'
    version: ClassVar[str] = importlib.metadata.version('magnum-lite-kubernetes')
    contract: ClassVar[tuple[int, int]] = CONTRACT
    coe: ClassVar[str] = 'kubernetes'
    server_types: ClassVar[frozenset[str]] = frozenset({'vm', 'bm'})
    distros: ClassVar[frozenset[str]] = frozenset({'debian', 'ubuntu'})
    capabilities: ClassVar[frozenset[str]] = frozenset({'update', 'scale_manager', 'monitor'})
    limits: ClassVar[Mapping[str, int]] = {
        'max_nodes': rules.MAX_NODES,
        'max_master_count': 1,
        'max_node_count': rules.MAX_NODES_PER_STACK,
    }
    config_schema: ClassVar[Mapping[str, Any]] = config.SCHEMA
    authorities: ClassVar[tuple[str, ...]] = ('kubernetes', 'etcd', 'front_proxy')
    join_certificate: ClassVar[Mapping[str, str]] = {
        'authority': 'kubernetes',
        'organization': kubeadm.JOINERS,
    }
    marks_servers: ClassVar[bool] = True
    tokens: ClassVar[Mapping[str, str]] = {'bootstrap': 'bootstrap', 'service_account': 'ec-key'}

    def get_default_config(self) -> dict[str, Any]:
        """The defaults of ``config_schema``."""
        return config.defaults()

    def validate(self, spec: ClusterSpec, /) -> None:
        """Refuse a spec that cannot work.

        :raises Rejected: with the attribute and what would be accepted.
        """
        rules.check(_complete(spec), distros=self.distros, server_types=self.server_types)

    def plan(self, spec: ClusterSpec, /) -> Plan:
        """The base stack and the stacks of the worker groups."""
        return stacks.plan(_complete(spec))

    def base_stack(self, spec: ClusterSpec, /) -> str:
        """A name alone, so that any spec can be deleted."""
        return names.base_stack(spec)

    def renews(self, spec: ClusterSpec, stack: Stack, /) -> Sequence[str]:
        """A new control plane is waited for; of workers only the first of a group ever was."""
        return (enrolment.HANDLE,) if stack.key == 'base' else ()

    def status_of(self, spec: ClusterSpec, views: Mapping[str, StackView], /) -> Status:
        """The status, with the version that the control plane reported about itself."""
        status = super().status_of(spec, views)
        found = COE_VERSION.search(status.coe_version or '')
        return dataclasses.replace(status, coe_version=found[0] if found else None)

    def get_scale_manager(self, cloud: Cloud, spec: ClusterSpec, /) -> ScaleManager:
        """Maps nodes to members through Heat."""
        return scale.Members(cloud, _complete(spec))

    def get_monitor(self, cloud: Cloud, spec: ClusterSpec, /) -> Monitor:
        """Asks the API server."""
        return monitor.ApiMonitor(_complete(spec))


def _complete(spec: ClusterSpec) -> ClusterSpec:
    # A driver version may have been recorded before the package knew all of today's properties.
    return dataclasses.replace(spec, config={**config.defaults(), **spec.config})
