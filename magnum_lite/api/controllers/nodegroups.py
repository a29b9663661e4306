"""Node groups of a cluster: shown and deleted; ``nodegroup_changes`` makes and changes them."""

from typing import Any

from magnum_lite.api import changes, paging, views
from magnum_lite.api.document import NOTHING, Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import store
from magnum_lite.exceptions import BadRequest
from magnum_lite.objects import Cluster, NodeGroup, deadline
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.change import Change
from magnum_lite.objects.fields import String

_SINCE = (1, 9)


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
    with request.service.db.read() as connection:
        changes.driver_that_can(connection, found, 'nodegroup_delete')
    change = Change('nodegroup_delete', found.version, removed=(group.uuid,))
    changes.make(
        request,
        found,
        change,
        f'delete node group {group.name}',
        group.uuid,
        timeout_min=deadline.timeout_min(group.node_count),
    )


def _find(request: Request, cluster: str, nodegroup: str) -> tuple[Cluster, NodeGroup]:
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        return found, store.get(connection, NodeGroup, nodegroup, cluster_id=found.uuid)
