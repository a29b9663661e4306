"""What the requests that change clusters and node groups have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from oslo_config import cfg

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.db import accept, journal, store, usage
from magnum_lite.exceptions import BadRequest, Invalid
from magnum_lite.objects import (
    Cluster,
    DriverVersion,
    NodeGroup,
    Operation,
    kinds,
)
from magnum_lite.objects.change import Change

Write = Callable[[Any, Operation], None]  # in the transaction that accepts the operation


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
    operation = request.operation(cluster, change.kind, reason, node_group)
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
    accepted = accept.accept(connection, cluster, operation, change, **how)
    if accepted is None:
        return None
    uuid, change = accepted
    if warning:
        journal.note(connection, operation, warning)
    _check_size(connection, cluster, change, conf)
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


def kept_defaults(cluster: Cluster) -> dict[str, Any]:
    """What ``new_clusters.defaults`` gave a cluster when it was made."""
    return dict(cluster.facts.get('config', {}))


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
