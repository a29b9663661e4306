"""What the requests that change clusters, node groups and templates have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from oslo_config import cfg

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.db import accept, journal, operations, store, usage
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    DriverVersion,
    NodeGroup,
    Operation,
    kinds,
    labels,
)
from magnum_lite.objects.change import Change
from magnum_lite.objects.nodegroup import DEFAULT_MASTER, DEFAULT_WORKER

Write = Callable[[Any, Operation], None]  # in the transaction that accepts the operation
_ZERO_NODES = (1, 10)  # the first version that may ask for no workers
_DEVICEMAPPER_GIB = 3


def make(
    request: Request,
    cluster: Cluster,
    change: Change,
    reason: str,
    node_group: str | None = None,
    *,
    lookups: Lookups | None = None,
    also: Iterable[Write] = (),
    warning: str = '',
    **how: Any,
) -> None:
    """Ask the driver about a change, accept it, and wake a conductor. Until then nothing of it was
    written, whatever it is.

    :param reason: why, in a sentence.
    :param node_group: uuid of the one group that it is of.
    :param lookups: those of the request, which share their time with the driver.
    :param also: what is written with it.
    :param warning: a sentence for the journal.
    :param how: ``timeout_min`` and ``shows`` of ``accept.accept``.
    :raises ServiceError: as ``accept.accept`` and what ``also`` raises.
    :raises Invalid: the driver refuses it, the cluster would be too large, or a group does not
        allow the number.
    """
    if kinds.TABLE[change.kind].judged:
        _judge(request, cluster.uuid, change, node_group, lookups)
    context = request.context
    operation = Operation.new(
        cluster_id=cluster.uuid,
        kind=change.kind,
        reason=reason,
        project_id=cluster.project_id,
        user_id=context.user_id,
        request_id=context.request_id,
        node_group=node_group,
        caller_project_id=context.project_id,
        identity=cluster.identity,
    )
    uuid = request.accept(
        _write, cluster, operation, change, request.service.conf, warning, also, **how
    )
    if uuid:
        request.service.waker.wake(uuid)


def _judge(
    request: Request, cluster: str, change: Change, focus: str | None, lookups: Lookups | None
) -> None:
    refusal = request.service.asker.ask(
        request.context,
        change.kind,
        {**change.cluster, 'uuid': cluster},
        change.groups,
        focus=focus,
        left_s=lookups.left_s if lookups else request.service.conf.cloud.lookup_budget_s,
    )
    if refusal:
        raise Invalid(path=refusal['path'], reason=refusal['reason'])


def _write(
    connection: Any,
    cluster: Cluster,
    operation: Operation,
    change: Change,
    conf: cfg.ConfigOpts,
    warning: str,
    also: Iterable[Write],
    **how: Any,
) -> str | None:
    if kinds.TABLE[change.kind].makes:
        uuid = operations.create(
            connection, cluster, operation, change, quota=conf.api.cluster_quota, **how
        )
    else:
        accepted = accept.accept(connection, cluster, operation, change, **how)
        if accepted is None:
            return None
        uuid, change = accepted
        _check_size(connection, cluster, change, conf)
    if warning:
        journal.note(connection, operation, warning)
    for write in also:
        write(connection, operation)
    return uuid


def _check_size(connection: Any, cluster: Cluster, change: Change, conf: cfg.ConfigOpts) -> None:
    """Look at limits again, which may have changed since the request looked at them."""
    for uuid, values in change.at_once.groups.items():
        if 'node_count' in values:
            check_limits(store.get(connection, NodeGroup, uuid), values['node_count'])
    usage.check_growth(
        connection, cluster, 'node_count', added=change.growth, max_nodes=conf.cluster.max_nodes
    )
    if change.added:
        usage.check_groups(connection, cluster, most=conf.cluster.max_node_groups)


def choose_driver(
    drivers: Iterable[Any], server_type: str, distro: str | None, coe: str, *names: str | None
) -> Any:
    """The newest enabled version of a driver that serves a kind of cluster.

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
    images = f' from images of {distro}' if distro else ''
    raise Invalid(
        path='driver', reason=f'no driver makes {coe} clusters of server type {server_type}{images}'
    )


def driver_of(connection: Any, cluster: Cluster) -> Any:
    """The row of the driver version that a cluster is pinned to."""
    return store.rows(
        connection, DriverVersion, name=cluster.driver, version=cluster.driver_version
    )[0]


def driver_that_can(connection: Any, cluster: Cluster, kind: str, *options: str) -> Any:
    """The same, if it can do what is asked for.

    :raises BadRequest: as ``check_driver``.
    """
    row = driver_of(connection, cluster)
    check_driver(row, kind, *options)
    return row


def check_driver(driver: Any, kind: str, *options: str) -> None:
    """Refuse what a driver cannot do.

    :param driver: row of the driver version.
    :param kind: of the operation.
    :param options: what is asked for beside, as the table of kinds names it.
    :raises BadRequest: naming it.
    """
    if doing := kinds.TABLE[kind].lacking(driver.capabilities, options):
        raise BadRequest(reason=f'Driver {driver.name} does not support {doing}')


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


def defaults(request: Request, driver: Any, server_type: str) -> dict[str, Any]:
    """The configuration that the operator gives new clusters, under the labels that they lack.

    Each keeps it in ``facts.config``: another value must not replace the nodes that are there.

    :param driver: row of the driver version that makes them; conductors of release 1.0, which may
        carry out what one of theirs makes, do not look at it.
    """
    size = request.service.conf.cluster.default_boot_volume_size
    knows = 'boot_volume_size' in driver.config_schema.get('properties', {})
    if size and knows and server_type != 'bm' and not labels.is_literal(driver):
        return {'boot_volume_size': size}
    return {}


def kept_defaults(cluster: Cluster) -> dict[str, Any]:
    """What ``defaults`` gave a cluster when it was made."""
    return dict(cluster.facts.get('config', {}))


def default_groups(
    cluster: Cluster, template: ClusterTemplate, node_count: int, master_count: int
) -> list[NodeGroup]:
    """The node groups that come with a cluster, not written yet."""
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
            flavor_id=cluster.flavor_id,
            **labels.node_limits(cluster.labels),
            **same,
        ),
    ]


def check_count(request: Request, count: int) -> None:
    """Refuse no workers before the version that has it.

    :raises Invalid: none is asked for too early.
    """
    if count == 0 and request.version < _ZERO_NODES:
        raise Invalid(path='node_count', reason='0 needs version 1.10')


def check_limits(group: Any, count: int) -> None:
    """Refuse a number of nodes outside of the limits of their group.

    :raises Invalid: naming both.
    """
    most = group.max_node_count or count
    if not group.min_node_count <= count <= most:
        limits = (
            f'{group.min_node_count} to {most} nodes (min_node_count, max_node_count)'
            if group.max_node_count
            else f'{group.min_node_count} nodes or more (min_node_count)'
        )
        raise Invalid(path='node_count', reason=f'{group.name} has {limits}', value=count)


def check_ahead(request: Request, cluster: Cluster, added: int) -> None:
    """Refuse more nodes than a cluster may have, before its driver is asked about them.

    :param added: how many the change adds.
    :raises Invalid: there would be too many.
    """
    with request.service.db.read() as connection:
        usage.check_ahead(
            connection, cluster, added=added, max_nodes=request.service.conf.cluster.max_nodes
        )
