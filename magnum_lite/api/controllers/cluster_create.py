"""``POST /v1/clusters``: from a body to rows and an operation, in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from oslo_config import cfg

from magnum_lite.api import delegation, schema
from magnum_lite.api.document import ACCEPTED
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.cloud import identity
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.cloud.things import Image
from magnum_lite.db import accept, journal, store, usage
from magnum_lite.exceptions import BadRequest, Conflict, Hidden, Invalid, NotFound
from magnum_lite.objects import Cluster, ClusterTemplate, Driver, NodeGroup, Operation, labels
from magnum_lite.objects.nodegroup import DEFAULT_MASTER, DEFAULT_WORKER
from magnum_lite.objects.shape import INHERITED

# Clusters without workers; unknown templates are 404 instead of 400.
_SINCE = (1, 10)
_DEVICEMAPPER_GIB = 3


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
)
def create(request: Request) -> dict[str, Any]:
    """Make a cluster, with its two default node groups."""
    given = request.given()
    template, drivers = _read(request, given['cluster_template_id'])
    wanted = {
        ours: getattr(template, theirs) if given.get(ours) is None else given[ours]
        for ours, theirs in INHERITED.items()
    }
    wanted['labels'] = labels.merged(
        given.get('labels'), template.labels, over=given.get('merge_labels', False)
    )
    counts = given.pop('node_count', 1), given.pop('master_count', 1)
    driver = choose_driver(
        drivers, template.server_type, template.cluster_distro, template.coe, template.driver
    )
    _check_shape(request, template, wanted, *counts)
    _check_size(request, driver, *counts)
    request.authorize()
    if template.hidden and not request.context.is_admin:
        raise Hidden(template=template.uuid)
    warning = request.check_labels(wanted['labels'], driver)
    with request.lookups() as lookups:
        image = _check_cloud(request, lookups, template, wanted)
        keypair = lookups.keypair(wanted['keypair']) if wanted['keypair'] else None
    if counts[1] > 1 and not wanted['master_lb_enabled']:
        raise Invalid(
            path='master_count',
            reason=f'{counts[1]} control-plane nodes need master_lb_enabled true',
        )
    given.pop('merge_labels', None)
    cluster = Cluster.new(
        **{
            'name': schema.made_up_name('cluster'),
            **given,
            **wanted,
            'driver': driver.name,
            'cluster_template_id': template.uuid,
            'driver_version': driver.version,
            'status': 'CREATE_IN_PROGRESS',
            'version_reason': 'create',
            'project_id': request.context.project_id,
            'user_id': request.context.user_id,
            'facts': _facts(image),
            'ssh_public_key': keypair.public_key if keypair else None,
        }
    )
    groups = _groups(cluster, template, *counts)
    if not identity.has_keystone(request.service.conf):
        cluster.identity = identity.development(request.context, cluster.project_id)
        return _accept(request, cluster, groups, warning)
    with delegation.loan(request, cluster, driver.capabilities) as loan:
        cluster.identity = loan.identity
        cluster.application_credential = loan.application_credential
        return _accept(request, cluster, groups, warning, loan.accept)


def _accept(
    request: Request,
    cluster: Cluster,
    groups: list[NodeGroup],
    warning: str,
    *also: Callable[[Any, Operation], None],
) -> dict[str, Any]:
    operation = _operation(request, cluster)
    request.accept(_write, cluster, groups, operation, request.service.conf, warning, also)
    request.service.waker.wake(operation.uuid)
    return {'uuid': cluster.uuid}


def _write(
    connection: Any,
    cluster: Cluster,
    groups: list[NodeGroup],
    operation: Operation,
    conf: cfg.ConfigOpts,
    warning: str,
    also: Iterable[Callable[[Any, Operation], None]],
) -> None:
    accept.create(
        connection,
        cluster,
        groups,
        operation,
        quota=conf.api.cluster_quota,
        timeout_min=cluster.create_timeout,
    )
    if warning:
        journal.note(connection, operation, warning)
    for write in also:
        write(connection, operation)


def choose_driver(
    drivers: Iterable[Any], server_type: str, distro: str | None, coe: str, *names: str | None
) -> Any:
    """The newest enabled Driver row that serves a kind of cluster.

    :param distro: of the image; None where it is not known yet.
    :param names: what is asked for, best first; without any, the first driver that serves.
    :raises Invalid: none does.
    """
    newest: dict[str, Any] = {}
    for row in drivers:
        if row.enabled and (row.name not in newest or newest[row.name].version < row.version):
            newest[row.name] = row
    name = next(filter(None, names), None)
    if name and name not in newest:
        raise Invalid(
            path='driver', reason=f'one of {", ".join(sorted(newest))} is expected', value=name
        )
    for row in newest.values():
        if (
            row.coe == coe
            and server_type in row.server_types
            and name in (None, row.name)
            and (distro is None or distro in row.distros)
        ):
            return row
    coes = sorted({row.coe for row in newest.values()})
    if coe not in coes:
        raise Invalid(path='coe', reason=f'one of {", ".join(coes)} is expected', value=coe)
    raise Invalid(
        path='driver',
        reason=f'no driver makes {coe} clusters of server type '
        f'{server_type} from images of {distro}',
    )


def _read(request: Request, ident: str) -> tuple[ClusterTemplate, Sequence[Any]]:
    with request.service.db.read() as connection:
        try:
            template = store.get(connection, ClusterTemplate, ident, request.scope)
        except NotFound as error:
            raise _no_template(request, error) from error
        return template, store.rows(connection, Driver, deleted_at=None)


def _no_template(request: Request, error: NotFound) -> Exception:
    return error if request.version >= _SINCE else BadRequest(reason=str(error))


def _check_shape(
    request: Request,
    template: ClusterTemplate,
    wanted: Mapping[str, Any],
    node_count: int,
    master_count: int,
) -> None:
    check_storage(template.docker_storage_driver, wanted['docker_volume_size'])
    if master_count % 2 == 0:
        raise Invalid(path='master_count', reason='an odd number is expected', value=master_count)
    if node_count == 0 and request.version < _SINCE:
        raise Invalid(path='node_count', reason='0 needs version 1.10')


def check_storage(driver: str | None, volume_size: int | None) -> None:
    """Refuse a storage driver that needs a volume, without one.

    :raises Invalid: the volume is too small.
    """
    if driver == 'devicemapper' and (volume_size or 0) < _DEVICEMAPPER_GIB:
        raise Invalid(
            path='docker_volume_size',
            value=volume_size,
            reason=f'devicemapper needs {_DEVICEMAPPER_GIB} GiB at least',
        )


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


def _check_cloud(
    request: Request, lookups: Lookups, template: ClusterTemplate, wanted: Mapping[str, Any]
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
        from_disk=boots_from_disk(request, wanted['labels']),
    )


def boots_from_disk(request: Request, given: Mapping[str, str]) -> bool:
    """Whether nodes with these labels boot from the disk of their flavor, not from a volume.

    :raises Invalid: the label boot_volume_size is no number.
    """
    size = labels.number(given, 'boot_volume_size')
    return not (request.service.conf.cluster.default_boot_volume_size if size is None else size)


def _facts(image: Image | None) -> dict[str, Any]:
    if image is None:
        return {}
    return {'image': {'id': image.id, 'name': image.name, 'os_distro': image.os_distro}}


def _groups(
    cluster: Cluster, template: ClusterTemplate, node_count: int, master_count: int
) -> list[NodeGroup]:
    same = {
        'cluster_id': cluster.uuid,
        'project_id': cluster.project_id,
        'is_default': True,
        'labels': cluster.labels,
        'image_id': template.image_id,
        'status': cluster.status,
        'docker_volume_size': cluster.docker_volume_size,
    }
    return [
        NodeGroup.new(
            name=DEFAULT_MASTER,
            role='master',
            node_count=master_count,
            flavor_id=cluster.master_flavor_id,
            **same,
        ),
        NodeGroup.new(
            name=DEFAULT_WORKER,
            role='worker',
            node_count=node_count,
            min_node_count=labels.number(cluster.labels, 'min_node_count') or 0,
            flavor_id=cluster.flavor_id,
            **same,
        ),
    ]


def _operation(request: Request, cluster: Cluster) -> Operation:
    context = request.context
    return Operation.new(
        cluster_id=cluster.uuid,
        kind='create',
        reason='create',
        project_id=cluster.project_id,
        user_id=context.user_id,
        request_id=context.request_id,
        caller_project_id=context.project_id,
        identity=cluster.identity,
    )
