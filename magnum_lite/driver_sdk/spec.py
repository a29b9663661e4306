"""The Spec: what a driver is asked to build. Rows merged, names resolved, secrets in hand; frozen.

A Spec says everything about the wanted state and nothing about how far the cloud is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from magnum_lite.driver_sdk.denied import Network as Denied

# Purposes of the two secrets that a driver with that capability gets.
APPLICATION_CREDENTIAL = ('application_credential.id', 'application_credential.secret')


@dataclass(frozen=True)
class Secret:
    """A value that must not be seen.

    :ivar ref: names it for ever: plans are hashed over ``ref``, so a dry run needs no value.
    :ivar value: the text itself, or None in a dry run.
    """

    ref: str
    value: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Image:
    """A Glance image, as looked up in the cloud."""

    id: str
    name: str
    os_distro: str


@dataclass(frozen=True)
class Network:
    """Where the cluster's nodes live.

    :ivar fixed_network: name or id of a given network; None makes one.
    :ivar fixed_subnet: name or id of a given subnet of it, or None.
    :ivar external_network: name or id of the network of floating IPs, or None.
    :ivar dns_nameservers: IPv4 addresses.
    :ivar driver: the CNI: ``flannel``, ``calico``, ...
    """

    fixed_network: str | None = None
    fixed_subnet: str | None = None
    external_network: str | None = None
    dns_nameservers: tuple[str, ...] = ()
    driver: str | None = None
    floating_ip_enabled: bool = True
    master_lb_enabled: bool = False


@dataclass(frozen=True)
class NodeGroupSpec:
    """One group of equal nodes, as the generation is to be that a step builds.

    :ivar role: ``master`` for the control plane, anything else for workers.
    :ivar generation: counts from 1; a new generation is a new stack.
    :ivar beside: other generations that are there too, as they were made, in order: each a spec as
        this one, with its own number, nodes, image and configuration. A step leaves their nodes as
        they are, and plans have their parts until the service knows that they are not needed.
    :ivar going: of one in ``beside``: this one has taken its place, or it never worked. A driver
        that can drain nodes does so and is not done before; the next plan has no such generation.
    :ivar removed: member indexes that must not exist, cumulative and sorted.
    :ivar docker_volume_size: GiB of an extra volume for container data, or None.
    :ivar node_labels: COE labels of the nodes.
    :ivar node_taints: each ``{'key':, 'effect':, 'value'?:}``.
    :ivar config: the driver's configuration where the group's differs from the cluster's.
    """

    uuid: str
    name: str
    role: str
    node_count: int
    flavor: str
    image: str
    generation: int = 1
    removed: tuple[int, ...] = ()
    max_node_count: int | None = None
    docker_volume_size: int | None = None
    node_labels: Mapping[str, str] = field(default_factory=dict)
    node_taints: tuple[Mapping[str, str], ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple['NodeGroupSpec', ...] = ()
    going: bool = False

    @property
    def generations(self) -> tuple['NodeGroupSpec', ...]:
        """All that are there or are to be, by their numbers; each knows of no other."""
        found = (replace(self, beside=()), *self.beside)
        return tuple(sorted(found, key=lambda one: one.generation))

    @property
    def is_control_plane(self) -> bool:
        """Whether the group runs the COE's control plane."""
        return self.role == 'master'


@dataclass(frozen=True)
class ClusterSpec:
    """The wanted state of one cluster.

    :ivar uuid: the cluster's uuid; names of stacks derive from it.
    :ivar name: the user's name for it: not unique, not always an RFC 1123 name.
    :ivar config: the driver's configuration, typed by its ``config_schema``, defaults filled in.
    :ivar secrets: ``{purpose: Secret}``. For each of ``authorities`` of the driver
        ``ca.<purpose>.cert`` and ``ca.<purpose>.key`` (PEM) of what signs now, and
        ``ca.<purpose>.trusted``, the certificates (PEM, newest first) of all that nodes have to
        trust now: more than one while authorities are replaced. ``ca.<purpose>.cross`` are
        certificates (PEM) that servers append to their own while a new authority signs and an
        older one is trusted, so that clients which know the older one alone believe them; '' at
        all other times. Further one entry for each of its ``tokens``, and with the capability
        ``application_credential`` the two of ``APPLICATION_CREDENTIAL``, where the service has a
        Keystone.
    :ivar auth_url: Keystone as nodes reach it, to use the application credential; None without.
    :ivar enrolment_url: where nodes fetch their secrets, see ``enrolment``; None where they
        cannot reach the service, so that user data has to carry them.
    :ivar region_name: region of the cloud's endpoints; None without, or for the only one.
    :ivar ssh_public_key: OpenSSH text for the nodes' login user, or None.
    :ivar timeout_min: minutes that the stacks may take.
    :ivar attempt: names the try (the operation's uuid): a stack that failed in this attempt has
        failed for good, one that failed in an earlier attempt is tried again. Never part of a plan.
    :ivar max_batch_size: nodes of a group that an upgrade may take away at a time.
    :ivar focus: uuid of the one node group that is to change, or None for all that differs: what
        belongs to other groups is left as it is, in whatever state. Never part of a plan.
    :ivar lost: ids of servers that stacks of the cluster have made and that the cloud knows no
        more: an update of such a stack makes them again. Never part of a plan.
    :ivar api_address: where the COE answers, as an operation saw it last; told to monitors only,
        never part of a plan.
    :ivar denied_networks: where nothing is asked, see ``denied``; told to steps and monitors, never
        part of a plan.
    :ivar phase: in which phase the last step of the operation left it, by ``Waiting``; None before
        and for drivers without phases. That step may not have been the last that did something:
        one that died left no word. Only steps are told, and it is never part of a plan.
    :ivar cursor: the cursor that came with the phase.
    """

    uuid: str
    name: str
    project_id: str
    coe: str
    server_type: str
    image: Image
    network: Network
    node_groups: tuple[NodeGroupSpec, ...]
    config: Mapping[str, Any]
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    auth_url: str | None = None
    enrolment_url: str | None = None
    region_name: str | None = None
    apiserver_port: int | None = None
    volume_driver: str | None = None
    docker_storage_driver: str | None = None
    insecure_registry: str | None = None
    registry_enabled: bool = False
    tls_disabled: bool = False
    discovery_url: str | None = None
    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str | None = None
    ssh_public_key: str | None = None
    timeout_min: int = 60
    attempt: str = ''
    max_batch_size: int = 1
    focus: str | None = None
    lost: tuple[str, ...] = ()
    api_address: str | None = None
    denied_networks: tuple[Denied, ...] = ()
    phase: str | None = None
    cursor: Any = None

    @property
    def control_plane(self) -> NodeGroupSpec:
        """The group that runs the control plane."""
        return next(g for g in self.node_groups if g.is_control_plane)

    @property
    def worker_groups(self) -> tuple[NodeGroupSpec, ...]:
        """All other groups, in order."""
        return tuple(g for g in self.node_groups if not g.is_control_plane)

    @property
    def worker_generations(self) -> tuple[NodeGroupSpec, ...]:
        """The generations of all other groups, in order: what a plan has nodes for."""
        return tuple(one for group in self.worker_groups for one in group.generations)

    @property
    def node_count(self) -> int:
        """Nodes of all groups together that are there or are to be, those of all generations."""
        return sum(one.node_count for group in self.node_groups for one in group.generations)

    @property
    def going(self) -> Mapping[str, tuple[int, ...]]:
        """``{node group: numbers}`` of the generations that are to go, of groups in focus."""
        found = {
            group.uuid: tuple(one.generation for one in group.beside if one.going)
            for group in self.node_groups
            if self.focus in (None, group.uuid)
        }
        return {uuid: numbers for uuid, numbers in found.items() if numbers}

    def builds(self, node_group: str | None, generation: int | None) -> bool:
        """Whether a step builds that generation, and does not leave it beside another."""
        return generation is None or all(
            group.generation == generation for group in self.node_groups if group.uuid == node_group
        )

    def of_group(self, group: NodeGroupSpec) -> 'ClusterSpec':
        """The spec with the configuration of one group."""
        return replace(self, config={**self.config, **group.config})
