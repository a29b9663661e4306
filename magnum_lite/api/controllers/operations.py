"""Operations of a cluster, also of a deleted one: what was asked for, and how it ended."""

from typing import Any

from magnum_lite.api import paging, schema, views
from magnum_lite.api.document import Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.links import links
from magnum_lite.db import journal, store
from magnum_lite.exceptions import NotFound
from magnum_lite.objects import Cluster, Operation


@endpoint(
    'GET',
    '/clusters/{cluster}/operations',
    rule='cluster:get',
    query=paging.ARGUMENTS,
    everywhere='cluster:get_one_all_projects',
    answers=Many(Operation),
)
def list_operations(request: Request, cluster: str) -> dict[str, Any]:
    """One page of the operations, oldest first."""
    wanted = paging.page(request, Operation)
    with request.service.db.read() as connection:
        uuid = _cluster(connection, request, cluster)
        rows = store.page(connection, Operation, wanted, request.scope, cluster_id=uuid)
    return paging.document(
        request,
        'operations',
        f'clusters/{uuid}/operations',
        wanted,
        rows,
        [_view(request, row) for row in rows],
    )


@endpoint(
    'GET',
    '/clusters/{cluster}/operations/{operation}',
    rule='cluster:get',
    everywhere='cluster:get_one_all_projects',
    answers=Operation,
)
def show(request: Request, cluster: str, operation: str) -> dict[str, Any]:
    """One operation with its journal."""
    with request.service.db.read() as connection:
        uuid = _cluster(connection, request, cluster)
        row = store.get(connection, Operation, operation, request.scope, cluster_id=uuid)
        steps = journal.steps_of(connection, row.uuid)
    return _view(
        request,
        row,
        steps=[
            {'text': step.text, 'fence': step.fence, 'created_at': schema.moment(step.created_at)}
            for step in steps
        ],
    )


def _cluster(connection: Any, request: Request, ident: str) -> str:
    """The uuid of a cluster that the caller may read, whether or not it still exists.

    :raises NotFound: there never was one.
    """
    try:
        found = store.get(connection, Cluster, ident, request.scope)
    except NotFound:
        uuid = store.normal_uuid(ident)
        request.authorize()
        if not uuid or not store.page(
            connection, Operation, store.Page(1), request.scope, cluster_id=uuid
        ):
            raise
        return uuid
    request.authorize(found)
    return found.uuid


def _view(request: Request, row: Any, **computed: Any) -> dict[str, Any]:
    if text := views.waits(row):
        computed['progress'] = text
    return schema.view(
        Operation,
        row,
        request.version,
        **computed,
        phase_left_s=views.phase_left_s(row),
        links=links(request.base, 'clusters', row.cluster_id, 'operations', row.uuid),
    )
