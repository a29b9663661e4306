"""Actions on clusters."""

from typing import Any

from magnum_lite.api import changes, schema
from magnum_lite.api.document import ACCEPTED, Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.missing import taken
from magnum_lite.db import members, store
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import Cluster, NodeGroup, deadline
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.change import Change, Values
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
taken('/clusters/{cluster}/actions')
taken('/clusters/{cluster}/actions/{action}')


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
    schema.check_count(count, request.version)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        group = store.get(
            connection, NodeGroup, given.get('nodegroup', DEFAULT_WORKER), cluster_id=found.uuid
        )
        nodes = given.get('nodes_to_remove', [])
        changes.driver_that_can(connection, found, 'resize', *['nodes_to_remove'] if nodes else [])
        strangers = members.never(connection, found, group.uuid, nodes)
    if group.role == 'master':
        raise BadRequest(reason='The number of control-plane nodes cannot be changed')
    changes.check_limits(group, count)
    changes.check_ahead(request, found, count - group.node_count)
    if strangers:
        raise Invalid(
            path='nodes_to_remove',
            value=strangers[0],
            reason=f'a node that {group.name} has or had is expected, by the id of its '
            'server or its member index',
        )
    change = Change(
        'resize',
        found.version,
        Values(groups={group.uuid: {'node_count': count}}),
        nodes_to_remove=tuple(nodes),
    )
    changes.make(
        request,
        found,
        change,
        f'node_count {count} of {group.name}',
        group.uuid,
        timeout_min=deadline.timeout_min(max(count, group.node_count)),
    )
    return {'uuid': found.uuid}
