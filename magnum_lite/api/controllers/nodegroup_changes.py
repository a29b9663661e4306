"""What a node group is made with, and changed to; its size is changed in ``cluster_actions``."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from magnum_lite.api import changes, patch, schema, views
from magnum_lite.api.document import Patch
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.db import store, usage
from magnum_lite.exceptions import Conflict, Invalid
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    NodeGroup,
    Operation,
    deadline,
    labels,
    node_taints,
)
from magnum_lite.objects.change import Change, Values, new

_SINCE = (1, 9)
_INTERNAL = (
    'name',
    'cluster_id',
    'docker_volume_size',
    'labels',
    'flavor_id',
    'image_id',
    'node_addresses',
    'node_count',
    'role',
    'is_default',
    'stack_id',
    'status',
    'status_reason',
    'version',
    'merge_labels',
)


@endpoint(
    'POST',
    '/clusters/{cluster}/nodegroups',
    rule='nodegroup:create',
    since=_SINCE,
    status=202,
    takes=NodeGroup,
    answers=NodeGroup,
    errors=(Conflict,),
    everywhere='context_is_admin',
    headers=IGNORED_LABELS,
)
def create(request: Request, cluster: str) -> dict[str, Any]:
    """Make a group, with stacks of its own."""
    given = request.given()
    request.authorize()
    _check_role(given)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        template = store.get(connection, ClusterTemplate, found.cluster_template_id)
        driver = changes.driver_that_can(connection, found, 'nodegroup_create')
    own = dict(given.get('labels') or {})
    given['labels'] = labels.merged(
        given.get('labels'), found.labels, over=given.pop('merge_labels', False)
    )
    warning = _check_labels(request, found, template, driver, given['labels'], own)
    _check_address(found)
    _limit(given, own)
    group = NodeGroup.new(
        **{
            'flavor_id': found.flavor_id,
            'image_id': template.image_id,
            **given,
            'cluster_id': found.uuid,
            'project_id': found.project_id,
            'status': 'CREATE_IN_PROGRESS',
        }
    )
    _check(group)
    schema.check_storage(template.docker_storage_driver, group.docker_volume_size)
    _check_most(request, group.max_node_count, driver)
    changes.check_ahead(request, found, group.node_count)
    lookups = _check_cloud(request, found, group, given.keys() | own.keys(), driver)
    return _make(
        request,
        found,
        group.uuid,
        Change('nodegroup_create', found.version, added={group.uuid: new(group)}),
        f'create node group {group.name}',
        group.node_count,
        lookups=lookups,
        warning=warning,
    )


@endpoint(
    'PATCH',
    '/clusters/{cluster}/nodegroups/{nodegroup}',
    rule='nodegroup:update',
    since=_SINCE,
    status=202,
    takes=Patch(NodeGroup),
    answers=NodeGroup,
    errors=(Conflict,),
    everywhere='context_is_admin',
)
def update(request: Request, cluster: str, nodegroup: str) -> dict[str, Any]:
    """Change the limits of a group, or the labels and taints of its nodes."""
    steps = patch.parse(request.body)
    request.authorize()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        group = store.get(connection, NodeGroup, nodegroup, cluster_id=found.uuid)
        driver = changes.driver_that_can(connection, found, 'nodegroup_update')
    changed = patch.changes(NodeGroup, group.as_row(), steps, request.version, internal=_INTERNAL)
    wanted = NodeGroup.new(**{**group.as_row(), **changed})
    _check(wanted)
    _check_most(request, changed.get('max_node_count'), driver)
    return _make(
        request,
        found,
        group.uuid,
        Change('nodegroup_update', found.version, Values(groups={group.uuid: changed})),
        f'change {", ".join(sorted(changed)) or "nothing"} of node group {group.name}',
        group.node_count,
    )


def _check_role(given: Mapping[str, Any]) -> None:
    if given.get('role') == 'master':
        raise Invalid(
            path='role',
            reason='control-plane nodes come with the cluster, any other word is accepted',
        )


def _check_address(cluster: Cluster) -> None:
    if not cluster.api_address:
        raise Conflict(
            reason=f'Cluster {cluster.uuid} has no API address yet, which the nodes of '
            'a further group need; wait until it is complete'
        )


def _check_labels(
    request: Request,
    cluster: Cluster,
    template: ClusterTemplate,
    driver: Any,
    wanted: Mapping[str, str],
    own: Mapping[str, str],
) -> str:
    typed = labels.typed(cluster.labels, driver.config_schema, literal=labels.is_literal(driver))
    return request.check_labels(
        wanted,
        driver,
        {
            **driver.config,
            **changes.kept_defaults(cluster),
            **template.as_row(),
            **cluster.as_row(),
            **typed,
        },
        own=own,
    )


def _check_most(request: Request, most: int | None, driver: Any) -> None:
    usage.check_group(
        most, 'max_node_count', driver, max_nodes=request.service.conf.cluster.max_nodes
    )


def _make(
    request: Request,
    cluster: Cluster,
    group: str,
    change: Change,
    reason: str,
    nodes: int,
    **how: Any,
) -> dict[str, Any]:
    """The document of the group as the change leaves it."""
    rows: list[NodeGroup] = []

    def look(connection: Any, operation: Operation) -> None:
        rows.append(store.get(connection, NodeGroup, group))
        _check(rows[-1])  # it may have been resized since the request looked

    changes.make(
        request,
        cluster,
        change,
        reason,
        group,
        also=[look],
        timeout_min=deadline.timeout_min(nodes),
        **how,
    )
    return views.nodegroup(request, rows[-1], cluster.labels)


def _limit(given: dict[str, Any], own: Mapping[str, str]) -> None:
    """Put limits that labels of the group itself give into its attributes; 0 and null, which
    clients send beside them, are no limits.

    :raises Invalid: an attribute says something else.
    """
    for name, count in labels.node_limits(own).items():
        if count and given.get(name) not in (None, 0, count):
            raise Invalid(path=name, reason=f'the label {name} says {count}', value=given[name])
        if count:
            given[name] = count


def _check(group: NodeGroup) -> None:
    """Refuse what contradicts itself, and what the nodes could not have.

    :raises Conflict: with the attribute at fault: clients know 409 here, not 400.
    """
    wants = ''
    if group.node_count < group.min_node_count:
        wants = f'min_node_count {group.min_node_count} wants more'
    elif group.node_count > (group.max_node_count or group.node_count):
        wants = f'max_node_count {group.max_node_count} wants fewer'
    if wants:
        raise Conflict(
            reason=f'Invalid input for node_count: node group {group.name} has '
            f'{group.node_count} nodes, {wants}'
        )
    if group.role == 'master' and (group.node_labels or group.node_taints):
        raise Conflict(reason='Labels and taints of control-plane nodes cannot be changed')
    _refuse(
        'node_labels',
        node_taints.check_labels,
        {**labels.prefixed(group.labels), **(group.node_labels or {})},
    )
    _refuse('node_taints', node_taints.check_taints, group.node_taints)


def _check_cloud(
    request: Request, cluster: Cluster, group: NodeGroup, given: Collection[str], driver: Any
) -> Lookups:
    """Look up what the group has of its own, as for a cluster.

    :param given: attributes and labels that it does not have from its cluster.
    :returns: the look-ups, which took of the time of the request.
    :raises Invalid: there is no such thing, or the driver cannot boot it.
    """
    has_flavor = bool({'flavor_id', 'boot_volume_size'} & set(given))
    named = {
        'flavor_id': group.flavor_id if has_flavor else None,
        'image_id': group.image_id if 'image_id' in given else None,
    }
    with request.lookups() as lookups:
        image = lookups.check(
            named,
            {**cluster.labels, **group.labels},
            volume_gib=(changes.kept_defaults(cluster).get('boot_volume_size', 0)),
        )
    if image and image.os_distro not in driver.distros:
        raise Invalid(
            path='image_id',
            reason=f'driver {driver.name} boots '
            f'{", ".join(driver.distros)}, image '
            f'{group.image_id} has {image.os_distro}',
        )
    return lookups


def _refuse(attribute: str, check: Callable[[Any], None], value: Any) -> None:
    try:
        check(value)
    except ValueError as error:
        raise Conflict(reason=f'Invalid input for {attribute}: {error}') from None
