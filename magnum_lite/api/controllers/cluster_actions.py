"""Actions on clusters."""

from typing import Any

from magnum_lite.api.controllers.clusters import change_of, check_count, set_count
from magnum_lite.api.document import ACCEPTED, Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import store
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import Cluster, NodeGroup, deadline
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Integer, String, StringList
from magnum_lite.objects.nodegroup import DEFAULT_WORKER

_RESIZE = Document(
    'Resize',
    {
        'node_count': attr(
            Integer(min=0),
            create='required',
            unit='nodes',
            doc='Nodes that the group is to have; 0 needs version 1.10.',
        ),
        'nodes_to_remove': attr(
            StringList(),
            create='optional',
            doc='Which to remove first: ids of servers, or member indexes.',
        ),
        'nodegroup': attr(
            String(min=1),
            create='optional',
            doc='Uuid or name of the group. Default: default-worker.',
        ),
    },
)


@endpoint(
    'POST',
    '/clusters/{cluster}/actions/resize',
    rule='cluster:resize',
    since=(1, 7),
    status=202,
    takes=_RESIZE,
    answers=ACCEPTED,
    everywhere='cluster:update_all_projects',
)
def resize(request: Request, cluster: str) -> dict[str, Any]:
    """Change the number of nodes of a group, or replace some."""
    given = request.given()
    count = given['node_count']
    check_count(request, count)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        group = store.get(
            connection, NodeGroup, given.get('nodegroup', DEFAULT_WORKER), cluster_id=found.uuid
        )
    _check_limits(group, count)
    operation = change_of(
        request,
        found,
        'resize',
        f'node_count {count} of {group.name}',
        node_group=group.uuid,
        target={'nodes_to_remove': given.get('nodes_to_remove', [])},
    )
    uuid = request.accept(
        set_count,
        found,
        operation,
        count,
        max_nodes=request.service.conf.cluster.max_nodes,
        timeout_min=deadline.timeout_min(max(count, group.node_count)),
    )
    request.service.waker.wake(uuid)
    return {'uuid': found.uuid}


def _check_limits(group: NodeGroup, count: int) -> None:
    if group.role == 'master':
        raise BadRequest(reason='The number of control-plane nodes cannot be changed')
    most = group.max_node_count or count
    if not group.min_node_count <= count <= most:
        limits = (
            f'{group.min_node_count} to {most} nodes'
            if group.max_node_count
            else f'{group.min_node_count} nodes or more'
        )
        raise Invalid(path='node_count', reason=f'{group.name} has {limits}', value=count)
