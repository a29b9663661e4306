"""Node groups of a cluster; their number of nodes is changed in ``cluster_actions``."""

from collections.abc import Callable, Collection
from typing import Any

from oslo_config import cfg

from magnum_lite.api import paging, patch, views
from magnum_lite.api.controllers.cluster_create import boots_from_disk
from magnum_lite.api.controllers.clusters import change_of
from magnum_lite.api.document import NOTHING, Many, Patch
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.db import accept, journal, store, usage
from magnum_lite.exceptions import BadRequest, Conflict, Invalid
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    Driver,
    NodeGroup,
    Operation,
    deadline,
    labels,
    node_taints,
)
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import String

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
    'GET',
    '/clusters/{cluster}/nodegroups',
    rule='nodegroup:get_all',
    since=_SINCE,
    everywhere='nodegroup:get_all_all_projects',
    query={**paging.ARGUMENTS, 'role': attr(String(), since='1.9', doc='Only of this role.')},
    answers=Many(NodeGroup),
)
def list_groups(request: Request, cluster: str) -> dict[str, Any]:
    """One page of the groups, of one role when the query names it."""
    request.authorize()
    wanted = paging.page(request, NodeGroup)
    where = {'role': request.query['role']} if 'role' in request.query else {}
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        rows = store.page(connection, NodeGroup, wanted, store.ALL, cluster_id=found.uuid, **where)
    return paging.document(
        request,
        'nodegroups',
        f'clusters/{found.uuid}/nodegroups',
        wanted,
        rows,
        [views.nodegroup(request, row, found.labels) for row in rows],
    )


@endpoint(
    'GET',
    '/clusters/{cluster}/nodegroups/{nodegroup}',
    rule='nodegroup:get',
    since=_SINCE,
    everywhere='nodegroup:get_one_all_projects',
    answers=NodeGroup,
)
def show(request: Request, cluster: str, nodegroup: str) -> dict[str, Any]:
    """One group."""
    request.authorize()
    found, group = _find(request, cluster, nodegroup)
    return views.nodegroup(request, group, found.labels)


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
    if given.get('role') == 'master':
        raise Invalid(
            path='role',
            reason='control-plane nodes come with the cluster, any other word is accepted',
        )
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        template = store.get(connection, ClusterTemplate, found.cluster_template_id)
        drivers = store.rows(connection, Driver, deleted_at=None)
    own = dict(given.get('labels') or {})
    given['labels'] = labels.merged(
        given.get('labels'), found.labels, over=given.pop('merge_labels', False)
    )
    warning = request.check_labels(given['labels'], _driver(found, drivers), own=own)
    if not found.api_address:
        raise Conflict(
            reason=f'Cluster {found.uuid} has no API address yet, which the nodes of a '
            'further group need; wait until it is complete'
        )
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
    _check_most(request, group.max_node_count, found, drivers)
    _check_cloud(request, found, group, given.keys() | own.keys(), _driver(found, drivers))
    operation = change_of(
        request, found, 'nodegroup_create', f'create node group {group.name}', node_group=group.uuid
    )
    request.accept(_add, found, group, operation, request.service.conf, warning)
    request.service.waker.wake(operation.uuid)
    return views.nodegroup(request, group, found.labels)


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
    found, group = _find(request, cluster, nodegroup)
    with request.service.db.read() as connection:
        drivers = store.rows(connection, Driver, name=found.driver)
    changed = patch.changes(NodeGroup, group.as_row(), steps, request.version, internal=_INTERNAL)
    wanted = NodeGroup.new(**{**group.as_row(), **changed})
    _check(wanted)
    _check_most(request, changed.get('max_node_count'), found, drivers)
    operation = change_of(
        request,
        found,
        'nodegroup_update',
        f'change {", ".join(sorted(changed)) or "nothing"} of node group {group.name}',
        node_group=group.uuid,
    )
    return _shown(
        request,
        found,
        *request.accept(_change, found, operation, changed, deadline.timeout_min(group.node_count)),
    )


@endpoint(
    'DELETE',
    '/clusters/{cluster}/nodegroups/{nodegroup}',
    rule='nodegroup:delete',
    since=_SINCE,
    answers=NOTHING,
    everywhere='context_is_admin',
)
def delete(request: Request, cluster: str, nodegroup: str) -> None:
    """Delete a group that did not come with the cluster."""
    request.authorize()
    found, group = _find(request, cluster, nodegroup)
    if group.is_default:
        raise BadRequest(reason=f'Node group {group.name} came with the cluster and goes with it')
    operation = change_of(
        request, found, 'nodegroup_delete', f'delete node group {group.name}', node_group=group.uuid
    )
    if request.accept(
        accept.remove_group, found, operation, timeout_min=deadline.timeout_min(group.node_count)
    ):
        request.service.waker.wake(operation.uuid)


def _find(request: Request, cluster: str, nodegroup: str) -> tuple[Cluster, NodeGroup]:
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        return found, store.get(connection, NodeGroup, nodegroup, cluster_id=found.uuid)


def _add(
    connection: Any,
    cluster: Cluster,
    group: NodeGroup,
    operation: Operation,
    conf: cfg.ConfigOpts,
    warning: str,
) -> None:
    accept.add_group(
        connection, cluster, group, operation, timeout_min=deadline.timeout_min(group.node_count)
    )
    if warning:
        journal.note(connection, operation, warning)
    usage.check_growth(
        connection, cluster, 'node_count', added=group.node_count, max_nodes=conf.cluster.max_nodes
    )
    usage.check_groups(connection, cluster, most=conf.cluster.max_node_groups)


def _change(
    connection: Any, cluster: Cluster, operation: Any, values: dict[str, Any], timeout_min: int
) -> tuple[str, NodeGroup]:
    uuid = accept.change(connection, cluster, operation, values=values, timeout_min=timeout_min)
    return uuid, store.get(connection, NodeGroup, operation.node_group)


def _shown(request: Request, cluster: Cluster, operation: str, group: NodeGroup) -> dict[str, Any]:
    request.service.waker.wake(operation)
    return views.nodegroup(request, group, cluster.labels)


def _driver(cluster: Cluster, drivers: Any) -> Any:
    """The row of the driver version that a cluster is pinned to."""
    return next(
        row
        for row in drivers
        if (row.name, row.version) == (cluster.driver, cluster.driver_version)
    )


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
    prefixed = {name: value for name, value in group.labels.items() if '/' in name}
    _refuse('node_labels', node_taints.check_labels, {**prefixed, **(group.node_labels or {})})
    _refuse('node_taints', node_taints.check_taints, group.node_taints)


def _check_cloud(
    request: Request, cluster: Cluster, group: NodeGroup, given: Collection[str], driver: Any
) -> None:
    """Look up what the group has of its own, as for a cluster.

    :param given: attributes and labels that it does not have from its cluster.
    :raises Invalid: there is no such thing, or the driver cannot boot it.
    """
    has_flavor = bool({'flavor_id', 'boot_volume_size'} & set(given))
    named = {
        'flavor_id': group.flavor_id if has_flavor else None,
        'image_id': group.image_id if 'image_id' in given else None,
    }
    from_disk = boots_from_disk(request, {**cluster.labels, **group.labels})
    with request.lookups() as lookups:
        image = lookups.check(named, from_disk=from_disk)
    if image and image.os_distro not in driver.distros:
        raise Invalid(
            path='image_id',
            reason=f'driver {driver.name} boots '
            f'{", ".join(driver.distros)}, image '
            f'{group.image_id} has {image.os_distro}',
        )


def _check_most(request: Request, most: int | None, cluster: Cluster, drivers: Any) -> None:
    """Refuse a limit of a group that no cluster could reach.

    :raises Invalid: it is more than a whole cluster may have, or a group of its driver.
    """
    setting = usage.Limit(request.service.conf.cluster.max_nodes, '[cluster] max_nodes')
    limit = usage.limit(_driver(cluster, drivers), 'max_node_count', setting)
    usage.check('max_node_count', most or 0, limit, 'a group of up to {} nodes is asked for')


def _refuse(attribute: str, check: Callable[[Any], None], value: Any) -> None:
    try:
        check(value)
    except ValueError as error:
        raise Conflict(reason=f'Invalid input for {attribute}: {error}') from None
