"""Clusters: list, show, change, delete; they are made in ``cluster_create``."""

from collections.abc import Iterable, Sequence
from typing import Any

from magnum_lite.api import changes, paging, patch, schema, views
from magnum_lite.api.document import ACCEPTED, NOTHING, Many, Patch
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import health, store
from magnum_lite.exceptions import BadRequest, NotFound
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, Operation, deadline
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.change import Change, Values
from magnum_lite.objects.fields import Boolean
from magnum_lite.objects.nodegroup import DEFAULT_WORKER
from magnum_lite.objects.operation import RUN

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
            doc='Whether an operation ``rollback`` follows if the change '
            'fails, which takes the nodes back to what they were. '
            'Without it only ``node_count`` goes back.',
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
    _check_names(request, changed)
    # Asking for the number that is there is an operation too: Terraform waits for UPDATE_COMPLETE.
    count = changed.pop('node_count', worker.node_count)
    stands_s = request.service.conf.health.reported_s
    if not any(step.attribute == 'node_count' for step in steps):
        request.accept(_write_health, found, changed, stands_s)
        return {'uuid': found.uuid}
    _check_count(request, found, worker, count)
    change = Change(
        'update',
        found.version,
        Values(groups={worker.uuid: {'node_count': count}}),
        rollback=rollback,
    )
    changes.make(
        request,
        found,
        change,
        f'node_count {count} of {worker.name}',
        worker.uuid,
        timeout_min=deadline.timeout_min(count),
        also=[lambda connection, _: _write_health(connection, found, changed, stands_s)],
    )
    return {'uuid': found.uuid}


def _check_names(request: Request, changed: Iterable[str]) -> None:
    refused = sorted(
        name for name in changed if not schema.shown(Cluster, request.version)[name].exposure.update
    )
    if refused:
        raise BadRequest(
            reason=f'Cluster attributes cannot be changed: {", ".join(refused)}; '
            'node_count and health_status can'
        )


def _check_count(request: Request, cluster: Cluster, worker: NodeGroup, count: int) -> None:
    with request.service.db.read() as connection:
        changes.driver_that_can(connection, cluster, 'update')
    schema.check_count(count, request.version)
    changes.check_limits(worker, count)
    changes.check_ahead(request, cluster, count - worker.node_count)


def _write_health(
    connection: Any, cluster: Cluster, reported: dict[str, Any], stands_s: float
) -> None:
    if reported:
        health.reported(connection, cluster.uuid, stands_s=stands_s)
        store.update(connection, Cluster, reported, uuid=cluster.uuid)


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
        groups = store.rows(connection, NodeGroup, cluster_id=found.uuid)
    changes.make(
        request,
        found,
        Change('delete', found.version),
        'delete',
        timeout_min=deadline.of_groups(groups),
    )


def _default_worker(connection: Any, cluster: Cluster) -> Any:
    for group in store.rows(connection, NodeGroup, cluster_id=cluster.uuid, is_default=True):
        if group.name == DEFAULT_WORKER:
            return group
    raise NotFound(noun='Nodegroup', ident=DEFAULT_WORKER)
