"""Credentials: whose rights a cluster uses, its operations and its nodes, made anew."""

from typing import Any

from magnum_lite.api import delegation
from magnum_lite.api.controllers.clusters import change_of
from magnum_lite.api.document import ACCEPTED, NOTHING
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import accept, store
from magnum_lite.objects import Cluster, Driver, NodeGroup, Operation, deadline


@endpoint('PATCH', '/credentials/{cluster}', rule='credential:rotate', since=(1, 12), status=202,
          takes=NOTHING, answers=ACCEPTED, everywhere='context_is_admin')
def rotate(request: Request, cluster: str) -> dict[str, Any]:
    """Let the caller own the cluster: what the caller lends replaces what the owner lent."""
    request.authorize()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        driver, = store.rows(connection, Driver, name=found.driver, version=found.driver_version)
        nodes = sum(group.node_count for group in
                    store.rows(connection, NodeGroup, cluster_id=found.uuid))
    with delegation.loan(request, found, driver.capabilities) as loan:
        operation = change_of(request, found, 'rotate_credentials', 'rotate credentials')
        operation.identity = loan.identity
        request.service.db.write(_write, found, operation, deadline.timeout_min(nodes), loan)
    request.service.waker.wake(operation.uuid)
    return {'uuid': found.uuid}


def _write(connection: Any, cluster: Cluster, operation: Operation, timeout_min: int,
           loan: delegation.Loan) -> None:
    store.update(connection, Cluster, {
        'user_id': operation.user_id, 'identity': loan.identity,
        'application_credential': loan.application_credential}, uuid=cluster.uuid)
    accept.whole(connection, cluster, operation, groups=[], timeout_min=timeout_min)
    loan.accept(connection, operation)
