"""Actions on clusters."""

from typing import Any

from magnum_lite.api import schema
from magnum_lite.api.controllers.clusters import change_of, check_count
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import accept, store
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import Cluster, NodeGroup, deadline
from magnum_lite.objects.fields import Integer, String, StringList
from magnum_lite.objects.nodegroup import DEFAULT_WORKER

_RESIZE = {'node_count': Integer(min=0), 'nodes_to_remove': StringList(),
           'nodegroup': String(min=1)}


@endpoint('POST', '/clusters/{cluster}/actions/resize', rule='cluster:resize', since=(1, 7),
          status=202, takes_body=True, everywhere='cluster:update_all_projects')
def resize(request: Request, cluster: str) -> dict[str, Any]:
    """Change the number of nodes of a group, or replace some."""
    given = _read(request.body)
    count = given['node_count']
    check_count(request, count)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        group = store.get(connection, NodeGroup, given.get('nodegroup', DEFAULT_WORKER),
                          cluster_id=found.uuid)
    _check_limits(group, count)
    operation = change_of(
        request, found, 'resize', f'node_count {count} of {group.name}', node_group=group.uuid,
        target={'nodes_to_remove': given.get('nodes_to_remove', [])})
    uuid = request.service.db.write(
        accept.change, found, operation, values={'node_count': count},
        timeout_min=deadline.timeout_min(max(count, group.node_count)))
    request.service.waker.wake(uuid)
    return {'uuid': found.uuid}


def _read(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest(reason='A JSON object is expected')
    given = {}
    for name, value in body.items():
        if name not in _RESIZE:
            raise Invalid(path=name[:255], reason='unknown attribute')
        if value is not None:
            given[name] = schema.accept(name, _RESIZE[name], value)
    if 'node_count' not in given:
        raise Invalid(path='node_count', reason='the attribute is mandatory')
    return given


def _check_limits(group: NodeGroup, count: int) -> None:
    if group.role == 'master':
        raise BadRequest(reason='The number of control-plane nodes cannot be changed')
    most = group.max_node_count or count
    if not group.min_node_count <= count <= most:
        raise Invalid(path='node_count', reason=f'{group.name} has {group.min_node_count} to '
                                                f'{group.max_node_count or "any number of"} nodes')
