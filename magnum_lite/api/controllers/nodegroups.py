"""Node groups of a cluster: list and show."""

from typing import Any

from magnum_lite.api import paging, views
from magnum_lite.api.document import Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import store
from magnum_lite.objects import Cluster, NodeGroup
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import String

_SINCE = (1, 9)


@endpoint('GET', '/clusters/{cluster}/nodegroups', rule='nodegroup:get_all', since=_SINCE,
          everywhere='nodegroup:get_all_all_projects',
          query={**paging.ARGUMENTS, 'role': attr(String(), since='1.9', doc='Only of this role.')},
          answers=Many(NodeGroup))
def list_groups(request: Request, cluster: str) -> dict[str, Any]:
    """One page of the groups, of one role when the query names it."""
    request.authorize()
    wanted = paging.page(request, NodeGroup)
    where = {'role': request.query['role']} if 'role' in request.query else {}
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        rows = store.page(connection, NodeGroup, wanted, cluster_id=found.uuid, **where)
    return paging.document(request, 'nodegroups', f'clusters/{found.uuid}/nodegroups', wanted, rows,
                           [views.nodegroup(request, row, found.labels) for row in rows])


@endpoint('GET', '/clusters/{cluster}/nodegroups/{nodegroup}', rule='nodegroup:get', since=_SINCE,
          everywhere='nodegroup:get_one_all_projects', answers=NodeGroup)
def show(request: Request, cluster: str, nodegroup: str) -> dict[str, Any]:
    """One group."""
    request.authorize()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        group = store.get(connection, NodeGroup, nodegroup, cluster_id=found.uuid)
    return views.nodegroup(request, group, found.labels)
