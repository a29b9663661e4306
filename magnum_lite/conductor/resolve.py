"""From rows to a Spec: defaults, template and cluster merged, names looked up, secrets in hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from magnum_lite.conductor import credentials
from magnum_lite.db import queue, store
from magnum_lite.db.engine import Connection
from magnum_lite.driver_sdk import ClusterSpec, Image, Network, NodeGroupSpec
from magnum_lite.driver_sdk import Driver as Plugin
from magnum_lite.objects import Cluster, ClusterTemplate, Driver, NodeGroup, Operation, labels
from magnum_lite.secrets.vault import Vault

NO_LIMIT_MIN = 24 * 60  # what Heat is told where the user wants no limit
NO_IMAGE = Image('', '', '')


@dataclass(frozen=True)
class Rows:
    """What a Spec is made of."""

    cluster: Cluster
    groups: list[NodeGroup]
    template: ClusterTemplate
    driver: Driver

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
    _set(cluster, operation.target.get('cluster', {}))
    return Rows(
        cluster,
        _groups(connection, operation),
        store.get(connection, ClusterTemplate, cluster.cluster_template_id),
        store.find(connection, Driver, name=cluster.driver, version=cluster.driver_version)[0],
    )


def _groups(connection: Connection, operation: Operation) -> list[NodeGroup]:
    """The node groups without what waits its turn: rows show what users asked for last."""
    groups = store.find(connection, NodeGroup, cluster_id=operation.cluster_id)
    if operation.kind in ('create', 'delete'):  # nothing waits then
        return groups
    waiting = queue.waiting_of(connection, operation.cluster_id)
    found = []
    for group in groups:
        later = waiting.get(group.uuid)
        _set(group, operation.target.get('groups', {}).get(group.uuid, {}))
        _set(group, later.restore.get(group.uuid, {}) if later else {})
        is_later = later is not None and later.kind == 'nodegroup_create'
        is_gone = operation.kind == 'nodegroup_delete' and group.uuid == operation.node_group
        if not is_later and not is_gone:
            found.append(group)
    return found


def _set(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def spec(
    connection: Connection,
    vault: Vault,
    plugin: Plugin,
    rows: Rows,
    operation: Operation,
    enrolment_url: str | None = None,
) -> ClusterSpec:
    """The Spec of the cluster as its rows want it now.

    :raises Invalid: the labels do not fit the driver any more; never for a deletion, which needs
        names only and gets no labels.
    """
    schema = {'properties': {}} if operation.kind == 'delete' else rows.driver.config_schema
    cluster, template = rows.cluster, rows.template
    image = rows.image or NO_IMAGE  # only a deletion goes on without one
    copied = {
        name: getattr(template, name)
        for name in (
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
    }
    return ClusterSpec(
        uuid=cluster.uuid,
        name=cluster.name,
        project_id=cluster.project_id,
        image=image,
        network=_network(cluster, template),
        node_groups=tuple(_group(group, rows, image, schema) for group in rows.groups),
        config={**rows.driver.config, **labels.typed(cluster.labels, schema)},
        secrets=credentials.secrets_of(connection, vault, plugin, cluster),
        discovery_url=cluster.discovery_url,
        ssh_public_key=cluster.ssh_public_key,
        timeout_min=cluster.create_timeout or NO_LIMIT_MIN,
        attempt=operation.uuid,
        # A physical machine has no console on which it could show that it is the one who asks.
        enrolment_url=None if template.server_type == 'bm' else enrolment_url,
        auth_url=cluster.application_credential.get('auth_url'),
        region_name=cluster.application_credential.get('region_name'),
        focus=operation.node_group,
        max_batch_size=operation.target.get('max_batch_size', 1),
        **copied,
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
    prefixed = {name: text for name, text in group.labels.items() if '/' in name}
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
        node_labels={**prefixed, **(group.node_labels or {})},
        node_taints=tuple(_taint(taint) for taint in group.node_taints or ()),
        config=labels.typed(own, schema),
    )


def _taint(taint: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in taint.items() if value is not None}
