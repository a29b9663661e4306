"""From rows to a Spec: defaults, template and cluster merged, names looked up, secrets in hand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from magnum_lite.db import generations, queue, store
from magnum_lite.db.engine import Connection, Row
from magnum_lite.driver_sdk import ClusterSpec, Image, Network, NodeGroupSpec, Secret
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    DriverVersion,
    NodeGroup,
    Operation,
    labels,
    nodegroup,
)

NO_LIMIT_MIN = 24 * 60  # what Heat is told where the user wants no limit
NO_IMAGE = Image('', '', '')
_FACTS = (
    'node_count',
    'flavor',
    'image',
    'removed',
    'max_node_count',
    'docker_volume_size',
    'node_labels',
    'node_taints',
    'config',
)


@dataclass(frozen=True)
class Rows:
    """What a Spec is made of.

    :ivar generations: as ``generations.of``.
    :ivar making: uuids of the groups of which the operation makes a generation that their rows do
        not say yet.
    """

    cluster: Cluster
    groups: list[NodeGroup]
    template: ClusterTemplate
    driver: DriverVersion
    generations: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    making: frozenset[str] = frozenset()

    @property
    def begins(self) -> frozenset[str]:
        """Those of them of which no row says that it is coming."""
        return self.making - {
            group.uuid
            for group in self.groups
            for row in self.generations.get(group.uuid, ())
            if (row.number, row.state) == (group.generation, generations.COMING)
        }

    def unformed(self, focus: str | None) -> frozenset[str]:
        """Uuids of the groups that never formed, but for the one that a change is of."""
        return nodegroup.unformed(self.groups) - {focus}

    @property
    def image(self) -> Image | None:
        """The image of the nodes, once it was looked up."""
        found = self.cluster.facts.get('image')
        return Image(**found) if found else None


def read(connection: Connection, operation: Operation) -> Rows:
    """The rows of an operation's cluster, as it may make them.

    :raises NotFound: one of them is gone.
    """
    cluster = store.get(connection, Cluster, operation.cluster_id)
    _set(cluster, operation.wants.at_end.cluster, but=operation.traits.staged)
    groups = store.find(connection, NodeGroup, cluster_id=cluster.uuid)
    numbers = operation.wants.generations
    making = {group.uuid for group in groups if group.generation < numbers.get(group.uuid, 0)}
    return Rows(
        cluster,
        _groups(connection, operation, groups),
        store.get(connection, ClusterTemplate, cluster.cluster_template_id),
        store.find(connection, DriverVersion, name=cluster.driver, version=cluster.driver_version)[
            0
        ],
        generations.of(connection, cluster.uuid),
        frozenset(making),
    )


def _groups(
    connection: Connection, operation: Operation, groups: list[NodeGroup]
) -> list[NodeGroup]:
    """The node groups without what waits its turn: rows show what users asked for last."""
    if operation.traits.is_alone:
        return groups
    change = operation.wants
    waiting = {
        uuid: found.wants
        for uuid, found in queue.waiting_of(connection, operation.cluster_id).items()
    }
    found = []
    for group in groups:
        later = waiting.get(group.uuid)
        _set(group, change.at_end.groups.get(group.uuid, {}), but=operation.traits.staged)
        _set(group, later.undo.get(group.uuid, {}) if later else {})
        if (
            group.uuid in change.removed
            or later
            and (
                group.uuid in later.added
                or group.uuid in later.removed
                and queue.never_begun(connection, operation.cluster_id, group.uuid)
            )
        ):
            continue
        found.append(group)
    return found


def _set(row: Any, values: Mapping[str, Any], *, but: Collection[str] = ()) -> None:
    for name in values.keys() - but:
        setattr(row, name, values[name])


# Attributes of the template that a Spec has by the same names.
_COPIED = (
    'coe',
    'server_type',
    'apiserver_port',
    'volume_driver',
    'docker_storage_driver',
    'insecure_registry',
    'registry_enabled',
    'tls_disabled',
    'http_proxy',
    'https_proxy',
    'no_proxy',
)


def spec(
    rows: Rows,
    operation: Operation,
    secrets: Mapping[str, Secret],
    enrolment_url: str | None = None,
) -> ClusterSpec:
    """The Spec of the cluster as its rows want it now. Pure.

    :raises Invalid: the labels do not fit the driver any more; never for a deletion, which needs
        names only and gets no labels.
    """
    schema = {'properties': {}} if operation.traits.ends else rows.driver.config_schema
    cluster, template = rows.cluster, rows.template
    image = rows.image or NO_IMAGE  # only a deletion goes on without one
    return ClusterSpec(
        uuid=cluster.uuid,
        name=cluster.name,
        project_id=cluster.project_id,
        image=image,
        network=_network(cluster, template),
        node_groups=tuple(_group(group, rows, image, schema) for group in rows.groups),
        config={
            **rows.driver.config,
            **cluster.facts.get('config', {}),
            **_typed(cluster.labels, rows, schema),
        },
        secrets=secrets,
        discovery_url=cluster.discovery_url,
        ssh_public_key=cluster.ssh_public_key,
        timeout_min=cluster.create_timeout or NO_LIMIT_MIN,
        attempt=operation.uuid,
        enrolment_url=enrolment_url,
        auth_url=cluster.application_credential.get('auth_url'),
        region_name=cluster.application_credential.get('region_name'),
        focus=operation.node_group,
        max_batch_size=operation.wants.max_batch_size,
        **{name: getattr(template, name) for name in _COPIED},
    )


def _network(cluster: Cluster, template: ClusterTemplate) -> Network:
    servers = (template.dns_nameserver or '').replace(' ', '').split(',')
    return Network(
        fixed_network=cluster.fixed_network,
        fixed_subnet=cluster.fixed_subnet,
        external_network=template.external_network_id,
        dns_nameservers=tuple(server for server in servers if server),
        driver=template.network_driver,
        floating_ip_enabled=bool(cluster.floating_ip_enabled),
        master_lb_enabled=bool(cluster.master_lb_enabled),
    )


def _group(group: NodeGroup, rows: Rows, image: Image, schema: Mapping[str, Any]) -> NodeGroupSpec:
    own = {
        name: text for name, text in group.labels.items() if rows.cluster.labels.get(name) != text
    }
    return NodeGroupSpec(
        uuid=group.uuid,
        name=group.name,
        role=group.role,
        node_count=group.node_count,
        flavor=group.flavor_id or '',
        generation=group.generation,
        # The id that the name meant when the cluster was accepted: a name may mean another later.
        image=image.id if group.image_id == rows.template.image_id else group.image_id or image.id,
        removed=tuple(group.removed),
        max_node_count=group.max_node_count or None,
        docker_volume_size=group.docker_volume_size,
        node_labels={**labels.prefixed(group.labels), **(group.node_labels or {})},
        node_taints=tuple(_taint(taint) for taint in group.node_taints or ()),
        config=_typed(own, rows, schema),
        beside=_beside(group, rows),
    )


def _beside(group: NodeGroup, rows: Rows) -> tuple[NodeGroupSpec, ...]:
    """The generations of a group that are there beside the one that its row is of. Where nobody
    makes that, they are going, whatever a worker of release 1.0 has left in their rows."""
    return tuple(
        NodeGroupSpec(
            uuid=group.uuid,
            name=group.name,
            role=group.role,
            generation=row.number,
            going=group.uuid not in rows.making or row.state == generations.GOING,
            **_made_of(row.facts),
        )
        for row in rows.generations.get(group.uuid, ())
        if row.number != group.generation
    )


def facts(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    """What the nodes of a generation are made of, as JSON."""
    values = {name: getattr(group, name) for name in _FACTS}
    return {**values, 'config': dict(spec.of_group(group).config)}


def _made_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: facts[name] for name in _FACTS if name in facts}
    return {**found, 'removed': tuple(found['removed']), 'node_taints': tuple(found['node_taints'])}


def _typed(given: Mapping[str, str], rows: Rows, schema: Mapping[str, Any]) -> dict[str, Any]:
    return labels.typed(given, schema, literal=labels.is_literal(rows.driver))


def _taint(taint: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in taint.items() if value is not None}
