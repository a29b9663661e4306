"""The driver itself: what it is, and which module answers what."""

import dataclasses
import importlib.metadata
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from magnum_lite.driver_sdk import (
    CONTRACT,
    DONE,
    Cloud,
    ClusterSpec,
    HeatDriver,
    Monitor,
    Plan,
    Progress,
    ScaleManager,
    Stack,
    StackView,
    Status,
    Waiting,
    enrolment,
)
from magnum_lite_swarm import (
    config,
    demote,
    drain,
    monitor,
    names,
    parameters,
    rolling,
    root,
    rules,
    scale,
    stacks,
)

ENGINE_VERSION = re.compile(r'[0-9]+\.[0-9]+\.[0-9]+[-+.~0-9A-Za-z]*')


class Swarm(HeatDriver):
    """Docker in swarm mode on images that have its engine, on virtual and on physical machines."""

    name: ClassVar[str] = 'swarm'
    version: ClassVar[str] = importlib.metadata.version('magnum-lite-swarm')
    contract: ClassVar[tuple[int, int]] = CONTRACT
    coe: ClassVar[str] = 'swarm'
    server_types: ClassVar[frozenset[str]] = frozenset({'vm', 'bm'})
    distros: ClassVar[frozenset[str]] = frozenset({'debian', 'ubuntu'})
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {'update', 'upgrade', 'surge', 'rotate_ca', 'scale_manager', 'monitor'}
    )
    # What was tried.
    upgrades_from: ClassVar[tuple[str, ...]] = ('20.10',)
    limits: ClassVar[Mapping[str, int]] = {
        'max_nodes': rules.MAX_NODES,
        'max_master_count': max(parameters.MANAGERS),
        'max_node_count': rules.MAX_NODES_PER_GROUP,
    }
    config_schema: ClassVar[Mapping[str, Any]] = config.SCHEMA
    # That of nodes which join is another one: who has a certificate for the API is root on a
    # manager.
    authorities: ClassVar[tuple[str, ...]] = ('docker', 'join')
    join_certificate: ClassVar[Mapping[str, str]] = {'authority': 'join', 'organization': 'workers'}
    marks_servers: ClassVar[bool] = True
    # Without enrolment workers sign the certificate that they join by with this key.
    tokens: ClassVar[Mapping[str, str]] = {'bootstrap': 'ec-key'}
    # What managers are asked for while they are made anew; without machines there is no one to ask.
    leave: ClassVar[Callable[..., Waiting | None]] = staticmethod(demote.step)
    replace_root: ClassVar[Callable[..., Waiting | None]] = staticmethod(root.step)

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

    def update(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Let nodes go that have no place any more, change the stacks, forget who went."""
        spec = _complete(spec)
        if spec.phase in (None, drain.PHASE, demote.PHASE) and spec.config['drain_timeout']:
            going = self.leaving(cloud, spec, self.update_dry_run(spec))
            waiting = drain.step(spec, self._address(cloud, spec), going) if going else None
            if waiting:
                return waiting
        progress = super().update(cloud, spec)
        if progress == DONE and spec.phase is not None and (url := self._address(cloud, spec)):
            drain.forget(spec, url, self.present(cloud, spec))
        return progress

    def upgrade(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Make the managers anew, one after the other; all else is as in an update, which makes
        new workers beside the old ones, and drains these when they are going."""
        return self._anew(cloud, _complete(spec)) or self.update(cloud, spec)

    def rotate_ca(self, cloud: Cloud, spec: ClusterSpec, /) -> Progress:
        """Make the managers anew, by what is trusted and signs now; at the end let the swarm have
        another authority too, which is its own."""
        progress = self.upgrade(cloud, spec)
        if progress != DONE:
            return progress
        return self.replace_root(spec, self._address(cloud, spec)) or DONE

    def renews(self, spec: ClusterSpec, stack: Stack, /) -> Sequence[str]:
        """A new manager is waited for where it is the only one; others join those that are left."""
        is_alone = stack.key == 'base' and spec.control_plane.node_count == 1
        return (enrolment.HANDLE,) if is_alone else ()

    def status_of(self, spec: ClusterSpec, views: Mapping[str, StackView], /) -> Status:
        """The status, with the version of the engine that managers reported about themselves."""
        status = super().status_of(spec, views)
        found = ENGINE_VERSION.search(status.coe_version or '')
        return dataclasses.replace(status, coe_version=found[0] if found else None)

    def get_scale_manager(self, cloud: Cloud, spec: ClusterSpec, /) -> ScaleManager:
        """Maps nodes to members through Heat."""
        return scale.Members(cloud, _complete(spec))

    def get_monitor(self, cloud: Cloud, spec: ClusterSpec, /) -> Monitor:
        """Asks a manager for the nodes."""
        return monitor.SwarmMonitor(_complete(spec))

    def _anew(self, cloud: Cloud, spec: ClusterSpec) -> Progress | None:
        view = cloud.heat.get(names.base_stack(spec))
        if view is None or spec.focus not in (None, spec.control_plane.uuid):
            return None
        plan = self.update_dry_run(spec)
        return rolling.Roll(
            spec, plan, view, lambda plan, anew: self.converge(cloud, spec, plan, anew), self.leave
        ).step()

    def _address(self, cloud: Cloud, spec: ClusterSpec) -> str | None:
        view = cloud.heat.get(names.base_stack(spec))
        found = view.outputs.get('api_address') if view else None
        return str(found) if found else None


class SwarmMode(Swarm):
    """The same by the name that swarm mode had beside the swarm of before."""

    name: ClassVar[str] = 'swarm-mode'
    coe: ClassVar[str] = 'swarm-mode'


def _complete(spec: ClusterSpec) -> ClusterSpec:
    # A driver version may have been recorded before the package knew all of today's properties.
    return dataclasses.replace(spec, config={**config.defaults(), **spec.config})
