"""``POST /v1/clusters``: from a body to rows and an operation, in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from magnum_lite.api import new_clusters, schema
from magnum_lite.api.document import ACCEPTED
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.cloud.lookups import Lookups, facts
from magnum_lite.cloud.things import Image
from magnum_lite.db import journal, operations, store, usage
from magnum_lite.exceptions import BadRequest, Conflict, Hidden, Invalid, NotFound
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    DriverVersion,
    NodeGroup,
    Operation,
    labels,
)
from magnum_lite.objects.change import Change, Values, new
from magnum_lite.objects.shape import INHERITED

_SINCE = (1, 10)  # unknown templates are 404 instead of 400


@endpoint(
    'POST',
    '/clusters',
    rule='cluster:create',
    status=202,
    takes=Cluster,
    answers=ACCEPTED,
    everywhere='clustertemplate:get_one_all_projects',
    errors=(NotFound, Conflict),
    headers=IGNORED_LABELS,
    not_below=True,
)
def create(request: Request) -> dict[str, Any]:
    """Make a cluster, with its two default node groups."""
    given = request.given()
    template, drivers = _read(request, given['cluster_template_id'])
    wanted = _wanted(given, template)
    counts = given.pop('node_count', 1), given.pop('master_count', 1)
    driver = new_clusters.choose_driver(
        drivers, template.server_type, template.cluster_distro, template.coe, template.driver
    )
    _check_shape(request, template, wanted, *counts)
    _check_size(request, driver, *counts)
    request.authorize()
    if template.hidden and not request.context.is_admin:
        raise Hidden(template=template.uuid)
    config = new_clusters.defaults(request, driver, template.server_type)
    warning = request.check_labels(
        wanted['labels'], driver, {**driver.config, **config, **template.as_row(), **wanted}
    )
    _check_limits(request, wanted['labels'], driver, counts[0])
    with request.lookups() as lookups:
        image = _check_cloud(lookups, template, wanted, config)
        keypair = lookups.keypair(wanted['keypair']) if wanted['keypair'] else None
    _check_balancer(wanted, counts[1])
    cluster = _new_cluster(
        request,
        template,
        driver,
        **given | wanted,
        facts={**facts(image), 'config': config},
        ssh_public_key=keypair.public_key if keypair else None,
    )
    groups = new_clusters.default_groups(cluster, template, *counts)
    new_clusters.judge(request, cluster, groups, driver.capabilities, lookups)
    _make(request, cluster, groups, driver, warning)
    return {'uuid': cluster.uuid}


def _make(
    request: Request,
    cluster: Cluster,
    groups: Sequence[NodeGroup],
    driver: DriverVersion,
    warning: str,
) -> None:
    service = request.service
    with service.delegations.grant(request.context, cluster, driver.capabilities) as grant:
        cluster.identity = grant.identity
        cluster.application_credential = grant.application_credential
        uuid = request.accept(
            _write,
            cluster,
            request.operation(cluster, 'create', 'create'),
            _change(cluster, groups),
            service.conf.api.cluster_quota,
            warning,
            grant.writes,
        )
    service.waker.wake(uuid)


def _write(
    connection: Any,
    cluster: Cluster,
    operation: Operation,
    change: Change,
    quota: int,
    warning: str,
    also: Iterable[Callable[[Any, Operation], None]],
) -> str:
    uuid = operations.create(
        connection, cluster, operation, change, timeout_min=cluster.create_timeout or 0, quota=quota
    )
    if warning:
        journal.note(connection, operation, warning)
    for write in also:
        write(connection, operation)
    return uuid


def _wanted(given: Mapping[str, Any], template: ClusterTemplate) -> dict[str, Any]:
    """What the cluster has where the template has it too."""
    wanted = {
        ours: getattr(template, theirs) if given.get(ours) is None else given[ours]
        for ours, theirs in INHERITED.items()
    }
    merged = labels.merged(
        given.get('labels'), template.labels, over=given.get('merge_labels', False)
    )
    return {**wanted, 'labels': merged}


def _new_cluster(
    request: Request, template: ClusterTemplate, driver: DriverVersion, **values: Any
) -> Cluster:
    values.pop('merge_labels', None)
    return Cluster.new(
        **{
            'name': schema.made_up_name('cluster'),
            **values,
            'driver': driver.name,
            'cluster_template_id': template.uuid,
            'driver_version': driver.version,
            'status': 'CREATE_IN_PROGRESS',
            'version_reason': 'create',
            'project_id': request.context.project_id,
            'user_id': request.context.user_id,
        }
    )


def _check_balancer(wanted: dict[str, Any], masters: int) -> None:
    if masters > 1 and not wanted['master_lb_enabled']:
        raise Invalid(
            path='master_count', reason=f'{masters} control-plane nodes need master_lb_enabled true'
        )


def _change(cluster: Cluster, groups: Sequence[NodeGroup]) -> Change:
    return Change(
        'create', at_once=Values(new(cluster)), added={group.uuid: new(group) for group in groups}
    )


def _read(request: Request, ident: str) -> tuple[ClusterTemplate, Sequence[Any]]:
    with request.service.db.read() as connection:
        try:
            template = store.get(connection, ClusterTemplate, ident, request.scope)
        except NotFound as error:
            raise _no_template(request, error) from error
        return template, store.rows(connection, DriverVersion, deleted_at=None)


def _no_template(request: Request, error: NotFound) -> Exception:
    return error if request.version >= _SINCE else BadRequest(reason=str(error))


def _check_shape(
    request: Request,
    template: ClusterTemplate,
    wanted: Mapping[str, Any],
    node_count: int,
    master_count: int,
) -> None:
    schema.check_storage(template.docker_storage_driver, wanted['docker_volume_size'])
    if master_count % 2 == 0:
        raise Invalid(path='master_count', reason='an odd number is expected', value=master_count)
    schema.check_count(node_count, request.version)


def _check_size(request: Request, driver: Any, node_count: int, master_count: int) -> None:
    usage.check_nodes(
        node_count + master_count,
        'node_count' if node_count >= master_count else 'master_count',
        driver,
        max_nodes=request.service.conf.cluster.max_nodes,
    )
    usage.check(
        'master_count',
        master_count,
        usage.limit(driver, 'max_master_count'),
        '{} control-plane nodes are asked for',
    )


def _check_limits(request: Request, given: Mapping[str, str], driver: Any, node_count: int) -> None:
    labels.check_count(given, node_count)
    usage.check_group(
        labels.node_limits(given)['max_node_count'],
        'labels.max_node_count',
        driver,
        max_nodes=request.service.conf.cluster.max_nodes,
    )


def _check_cloud(
    lookups: Lookups,
    template: ClusterTemplate,
    wanted: Mapping[str, Any],
    config: Mapping[str, Any],
) -> Image | None:
    for attribute in ('flavor_id', 'master_flavor_id'):
        if not wanted[attribute]:
            raise Invalid(path=attribute, reason='neither the cluster nor its template names one')
    return lookups.check(
        {
            **wanted,
            'image_id': template.image_id,
            'external_network_id': template.external_network_id,
        },
        wanted['labels'],
        volume_gib=config.get('boot_volume_size', 0),
    )
