"""Credentials: whose rights a cluster uses, its operations and its nodes, made anew."""

from collections.abc import Callable, Iterable
from typing import Any

from magnum_lite.api import delegation
from magnum_lite.api.controllers.clusters import change_of
from magnum_lite.api.document import ACCEPTED, NOTHING
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.cloud import identity
from magnum_lite.db import accept, store
from magnum_lite.objects import Cluster, Driver, NodeGroup, Operation, deadline


@endpoint(
    'PATCH',
    '/credentials/{cluster}',
    rule='credential:rotate',
    since=(1, 12),
    status=202,
    takes=NOTHING,
    answers=ACCEPTED,
    everywhere='context_is_admin',
)
def rotate(request: Request, cluster: str) -> dict[str, Any]:
    """Let the caller own the cluster: what the caller lends replaces what the owner lent."""
    request.authorize()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        (driver,) = store.rows(connection, Driver, name=found.driver, version=found.driver_version)
        nodes = sum(
            group.node_count for group in store.rows(connection, NodeGroup, cluster_id=found.uuid)
        )
    if not identity.has_keystone(request.service.conf):
        found.identity = identity.development(request.context, found.project_id)
        return _accept(request, found, nodes)
    with delegation.loan(request, found, driver.capabilities) as loan:
        found.identity = loan.identity
        found.application_credential = loan.application_credential
        return _accept(request, found, nodes, loan.accept)


def _accept(
    request: Request, cluster: Cluster, nodes: int, *also: Callable[[Any, Operation], None]
) -> dict[str, Any]:
    operation = change_of(request, cluster, 'rotate_credentials', 'rotate credentials')
    request.accept(_write, cluster, operation, deadline.timeout_min(nodes), also)
    request.service.waker.wake(operation.uuid)
    return {'uuid': cluster.uuid}


def _write(
    connection: Any,
    cluster: Cluster,
    operation: Operation,
    timeout_min: int,
    also: Iterable[Callable[[Any, Operation], None]],
) -> None:
    store.update(
        connection,
        Cluster,
        {
            'user_id': operation.user_id,
            'identity': cluster.identity,
            'application_credential': cluster.application_credential,
        },
        uuid=cluster.uuid,
    )
    accept.whole(connection, cluster, operation, groups=[], timeout_min=timeout_min)
    for write in also:
        write(connection, operation)
