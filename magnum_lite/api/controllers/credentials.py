"""Credentials: whose rights the operations of a cluster use, made anew."""

from collections.abc import Callable
from typing import Any

from magnum_lite.api import delegation
from magnum_lite.api.controllers.clusters import change_of
from magnum_lite.api.document import ACCEPTED, NOTHING
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.cloud import identity
from magnum_lite.db import accept, store
from magnum_lite.exceptions import DelegationRefused
from magnum_lite.objects import Cluster, NodeGroup, deadline


@endpoint('PATCH', '/credentials/{cluster}', rule='credential:rotate', since=(1, 12), status=202,
          takes=NOTHING, answers=ACCEPTED, everywhere='context_is_admin')
def rotate(request: Request, cluster: str) -> dict[str, Any]:
    """Let the caller own the cluster: a trust by the caller replaces that of the owner before."""
    request.authorize()
    context, conf = request.context, request.service.conf
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        nodes = sum(group.node_count for group in
                    store.rows(connection, NodeGroup, cluster_id=found.uuid))
    if not identity.by_trust(conf):
        _accept(request, found, nodes, identity.without_trust(
            conf, user_id=context.user_id, project_id=found.project_id, roles=context.roles))
        return {'uuid': found.uuid}
    if context.project_id != found.project_id:
        raise DelegationRefused(reason='your token is for another project')
    with delegation.loan(request, found.uuid) as loan:
        _accept(request, found, nodes, loan.identity, loan.accept)
    return {'uuid': found.uuid}


def _accept(request: Request, cluster: Cluster, nodes: int, who: dict[str, Any],
            *also: Callable[[Any], None]) -> None:
    cluster.user_id, cluster.identity = request.context.user_id, who
    operation = change_of(request, cluster, 'rotate_credentials', 'rotate credentials')
    request.service.db.write(_write, cluster, operation, deadline.timeout_min(nodes), also)
    request.service.waker.wake(operation.uuid)


def _write(connection: Any, cluster: Cluster, operation: Any, timeout_min: int,
           also: tuple[Callable[[Any], None], ...]) -> None:
    store.update(connection, Cluster, {'user_id': cluster.user_id, 'identity': cluster.identity},
                 uuid=cluster.uuid)
    accept.whole(connection, cluster, operation, groups=[], timeout_min=timeout_min)
    for write in also:
        write(connection)
