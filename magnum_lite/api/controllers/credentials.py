"""Credentials: whose rights a cluster uses, its operations and its nodes, made anew."""

from typing import Any

from magnum_lite.api import changes
from magnum_lite.api.document import ACCEPTED, NOTHING
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.missing import taken
from magnum_lite.db import store
from magnum_lite.objects import Cluster, NodeGroup, deadline
from magnum_lite.objects.change import Change, Values

taken('/credentials')


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
    """Let the caller own the cluster: what the caller grants replaces what the owner did."""
    request.authorize()
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        driver = changes.driver_of(connection, found)
        timeout_min = deadline.of_groups(store.rows(connection, NodeGroup, cluster_id=found.uuid))
    # Nodes that have a credential get the new one by an update.
    changes.check_driver(driver, 'rotate_credentials', *driver.capabilities)
    with request.service.delegations.grant(request.context, found, driver.capabilities) as grant:
        found.identity = grant.identity
        found.application_credential = grant.application_credential
        change = Change(
            'rotate_credentials',
            found.version,
            Values(
                {
                    'user_id': request.context.user_id,
                    'identity': found.identity,
                    'application_credential': found.application_credential,
                }
            ),
        )
        changes.make(
            request, found, change, 'rotate credentials', timeout_min=timeout_min, also=grant.writes
        )
    return {'uuid': found.uuid}
