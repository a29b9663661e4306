"""Clusters: list, show, change, delete; they are made in ``cluster_create``."""

from collections.abc import Sequence
from typing import Any

from magnum_lite.api import paging, patch, schema, views
from magnum_lite.api.document import ACCEPTED, NOTHING, Many, Patch
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import accept, store, usage
from magnum_lite.exceptions import BadRequest, Invalid, NotFound
from magnum_lite.objects import Cluster, ClusterTemplate, Driver, NodeGroup, Operation, deadline
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Boolean
from magnum_lite.objects.nodegroup import DEFAULT_WORKER
from magnum_lite.objects.operation import RUN

ZERO_NODES = (1, 10)  # the first version that may ask for no workers
_INTERNAL = (
    'api_address',
    'node_addresses',
    'master_addresses',
    'stack_id',
    'cluster_id',
    'ca_cert_ref',
    'magnum_cert_ref',
    'etcd_ca_cert_ref',
    'front_proxy_ca_cert_ref',
    'merge_labels',
)
_FIXED = ('cluster_template_id',)


@endpoint(
    'GET',
    '/clusters',
    rule='cluster:get_all',
    everywhere='cluster:get_all_all_projects',
    query=paging.ARGUMENTS,
    answers=Many(Cluster),
)
def list_clusters(request: Request) -> dict[str, Any]:
    """One page of clusters, as whole documents."""
    return _list(request, 'clusters')


@endpoint(
    'GET',
    '/clusters/detail',
    rule='cluster:detail',
    everywhere='cluster:detail_all_projects',
    query=paging.ARGUMENTS,
    answers=Many(Cluster),
)
def list_details(request: Request) -> dict[str, Any]:
    """One page of clusters; the other list shows as much."""
    return _list(request, 'clusters/detail')


def _list(request: Request, path: str) -> dict[str, Any]:
    request.authorize()
    wanted = paging.page(request, Cluster)
    with request.service.db.read() as connection:
        rows = store.page(connection, Cluster, wanted, request.scope)
        groups = store.rows(
            connection, NodeGroup, *views.OF_GROUPS, cluster_id=[row.uuid for row in rows]
        )
        templates = store.rows(
            connection,
            ClusterTemplate,
            *views.OF_TEMPLATES,
            uuid={row.cluster_template_id for row in rows},
        )
        operations = _may_wait(connection, rows)
    return paging.document(
        request,
        'clusters',
        path,
        wanted,
        rows,
        views.clusters(request, rows, groups, templates, operations),
    )


def _may_wait(connection: Any, clusters: Sequence[Any]) -> Sequence[Any]:
    uuids = views.may_wait(clusters)
    return (
        store.rows(connection, Operation, *views.OF_OPERATIONS, cluster_id=uuids, slot=RUN)
        if uuids
        else ()
    )


@endpoint(
    'GET',
    '/clusters/{cluster}',
    rule='cluster:get',
    everywhere='cluster:get_one_all_projects',
    answers=Cluster,
)
def show(request: Request, cluster: str) -> dict[str, Any]:
    """One cluster, with the faults of its groups when it failed."""
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        groups = store.rows(connection, NodeGroup, *views.OF_GROUPS, cluster_id=found.uuid)
        # Whoever may see the cluster sees how its labels differ, whether or not the template is
        # hidden by now.
        templates = store.rows(
            connection, ClusterTemplate, *views.OF_TEMPLATES, uuid=found.cluster_template_id
        )
        operations = _may_wait(connection, [found])
    labels = templates[0].labels if templates else {}
    return views.cluster(request, found, groups, labels, with_faults=True, operations=operations)


@endpoint(
    'PATCH',
    '/clusters/{cluster}',
    rule='cluster:update',
    status=202,
    takes=Patch(Cluster),
    everywhere='cluster:update_all_projects',
    answers=ACCEPTED,
    query={
        'rollback': attr(
            Boolean(),
            since='1.3',
            default=False,
            doc='Kept for clients: a change that fails puts back the number of nodes anyway.',
        )
    },
)
def update(request: Request, cluster: str) -> dict[str, Any]:
    """Change the number of default workers, or write down the health."""
    rollback = schema.accept('rollback', Boolean(), request.query.get('rollback', 'false'))
    steps = patch.parse(request.body)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        request.context.can('cluster:update_health_status')
        worker = _default_worker(connection, found)
    current = {**found.as_row(), 'node_count': worker.node_count}
    changed = patch.changes(
        Cluster, current, steps, request.version, internal=_INTERNAL, fixed=_FIXED
    )
    refused = sorted(
        name for name in changed if not schema.shown(Cluster, request.version)[name].exposure.update
    )
    if refused:
        raise BadRequest(
            reason=f'Cluster attributes cannot be changed: {", ".join(refused)}; '
            'node_count and health_status can'
        )
    # Asking for the number that is there is an operation too: Terraform waits for UPDATE_COMPLETE.
    count = changed.pop('node_count', worker.node_count)
    operation = None
    if any(step.attribute == 'node_count' for step in steps):
        check_count(request, count)
        operation = change_of(
            request,
            found,
            'update',
            f'node_count {count} of {worker.name}',
            node_group=worker.uuid,
            target={'rollback': True} if rollback else {},
        )
    request.accept(
        _change, found, operation, count, changed, request.service.conf.cluster.max_nodes
    )
    if operation:
        request.service.waker.wake(operation.uuid)
    return {'uuid': found.uuid}


def _change(
    connection: Any,
    cluster: Cluster,
    operation: Operation | None,
    count: int,
    health: dict[str, Any],
    max_nodes: int,
) -> None:
    if health:
        store.update(connection, Cluster, health, uuid=cluster.uuid)
    if operation:
        set_count(
            connection,
            cluster,
            operation,
            count,
            max_nodes=max_nodes,
            timeout_min=deadline.timeout_min(count),
        )


@endpoint(
    'DELETE',
    '/clusters/{cluster}',
    rule='cluster:delete',
    everywhere='cluster:delete_all_projects',
    answers=NOTHING,
)
def delete(request: Request, cluster: str) -> None:
    """Delete a cluster; again and again if need be."""
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        nodes = sum(
            group.node_count for group in store.rows(connection, NodeGroup, cluster_id=found.uuid)
        )
    operation = change_of(request, found, 'delete', 'delete')
    if request.accept(accept.delete, found, operation, timeout_min=deadline.timeout_min(nodes)):
        request.service.waker.wake(operation.uuid)


def change_of(
    request: Request, cluster: Cluster, kind: str, reason: str, **fields: Any
) -> Operation:
    """The operation for a change that the caller asks for.

    :param reason: why, in a sentence.
    :param fields: further attributes of the operation.
    """
    context = request.context
    return Operation.new(
        cluster_id=cluster.uuid,
        kind=kind,
        reason=reason,
        project_id=cluster.project_id,
        user_id=context.user_id,
        request_id=context.request_id,
        caller_project_id=context.project_id,
        identity=cluster.identity,
        **fields,
    )


def driver_that_can(connection: Any, cluster: Cluster, capability: str, doing: str) -> Any:
    """The row of the driver version that a cluster is pinned to.

    :param doing: what is asked for, in words.
    :raises BadRequest: the driver cannot do it.
    """
    row = store.rows(connection, Driver, name=cluster.driver, version=cluster.driver_version)[0]
    if capability not in row.capabilities:
        raise BadRequest(reason=f'Driver {row.name} does not support {doing}')
    return row


def set_count(
    connection: Any,
    cluster: Cluster,
    operation: Operation,
    count: int,
    *,
    max_nodes: int,
    timeout_min: int,
) -> str:
    """Accept another number of nodes of the group that the operation names.

    :param max_nodes: of the whole cluster.
    :returns: as ``accept.change``.
    :raises Invalid: the cluster would have more.
    """
    uuid = accept.change(
        connection, cluster, operation, values={'node_count': count}, timeout_min=timeout_min
    )
    before = operation.restore[operation.node_group]['node_count']
    usage.check_growth(connection, cluster, 'node_count', added=count - before, max_nodes=max_nodes)
    return uuid


def check_count(request: Request, count: int) -> None:
    """Refuse no workers before the version that has it.

    :raises Invalid: none is asked for too early.
    """
    if count == 0 and request.version < ZERO_NODES:
        raise Invalid(path='node_count', reason='0 needs version 1.10')


def _default_worker(connection: Any, cluster: Cluster) -> Any:
    for group in store.rows(connection, NodeGroup, cluster_id=cluster.uuid, is_default=True):
        if group.name == DEFAULT_WORKER:
            return group
    raise NotFound(noun='Nodegroup', ident=DEFAULT_WORKER)
