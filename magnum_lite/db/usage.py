"""How much there is of what has a limit, looked at in the transaction that makes more of it."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import store
from magnum_lite.db.tables import nodegroups, quotas, usages
from magnum_lite.exceptions import BadRequest, Invalid, QuotaExceeded
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion, NodeGroup

CLUSTER = 'Cluster'
TEMPLATE = 'ClusterTemplate'  # its row is a lock only: templates are counted


def reserve(connection: sa.Connection, project_id: str, *, default_limit: int) -> None:
    """Take one cluster of the project's quota: a conditional UPDATE, since a count races.

    :param default_limit: the limit where the project has no quota of its own.
    :raises QuotaExceeded: all are taken.
    """
    most = sa.func.coalesce(
        sa.select(quotas.c.hard_limit)
        .where(quotas.c.project_id == project_id, quotas.c.resource == CLUSTER)
        .scalar_subquery(),
        default_limit,
    )
    row = sa.and_(usages.c.project_id == project_id, usages.c.resource == CLUSTER)
    taken = connection.execute(
        usages.update().where(row, usages.c.in_use < most).values(in_use=usages.c.in_use + 1)
    ).rowcount
    if taken:
        return
    known, allowed = connection.execute(
        sa.select(sa.select(usages.c.in_use).where(row).scalar_subquery(), most)
    ).one()
    if known is not None or allowed < 1:
        raise QuotaExceeded(limit=allowed)
    try:
        connection.execute(
            usages.insert().values(project_id=project_id, resource=CLUSTER, in_use=1)
        )
    except db_exc.DBDuplicateEntry as error:  # another request made the row: count again
        raise db_exc.RetryRequest(error) from error


def check_templates(connection: sa.Connection, project_id: str, *, most: int) -> None:
    """Refuse a template too many; first in its transaction, which others of the project's wait for.

    :raises BadRequest: the project has ``most`` already.
    """
    row = {'project_id': project_id, 'resource': TEMPLATE}
    held = connection.execute(
        usages.update()
        .where(*[usages.c[name] == value for name, value in row.items()])
        .values(in_use=usages.c.in_use)
    ).rowcount
    if not held:
        try:
            connection.execute(usages.insert().values(in_use=0, **row))
        except db_exc.DBDuplicateEntry as error:
            raise db_exc.RetryRequest(error) from error
    count = store.count(connection, ClusterTemplate, project_id=project_id)
    if count >= most:
        raise BadRequest(
            reason=f'The project has {count} cluster templates, at most {most} are '
            'accepted ([api] max_templates)'
        )


def release(connection: sa.Connection, project_id: str) -> None:
    """Give one cluster back."""
    connection.execute(
        usages.update()
        .where(usages.c.project_id == project_id, usages.c.resource == CLUSTER, usages.c.in_use > 0)
        .values(in_use=usages.c.in_use - 1)
    )


@dataclass(frozen=True)
class Limit:
    """The most of something, and who says so."""

    most: int
    source: str


def limit(driver: Any, name: str, setting: Limit | None = None) -> Limit | None:
    """The lower limit of a driver's and an operator's; None without any.

    :param driver: row of the driver version.
    :param name: as in ``DriverVersion.limits``.
    """
    own = (driver.limits or {}).get(name)
    if own is None or setting and setting.most <= own:
        return setting
    return Limit(own, f'driver {driver.name}')


def check(attribute: str, count: int, found: Limit | None, what: str) -> None:
    """Refuse a number above a limit.

    :param attribute: what the user asked by.
    :param what: the sentence about it, up to the number: ``the cluster would have {} nodes``.
    :raises Invalid: naming attribute and limit.
    """
    if found and count > found.most:
        raise Invalid(
            path=attribute,
            reason=f'{what.format(count)}, at most {found.most} are accepted ({found.source})',
        )


def check_nodes(nodes: int, attribute: str, driver: Any, *, max_nodes: int) -> None:
    """Refuse a cluster with too many nodes.

    :param nodes: of all its groups together.
    :param attribute: what the user asked for them by.
    :param driver: row of the driver version, which may have a lower limit.
    :raises Invalid: there would be more than ``max_nodes``, or than the driver can.
    """
    check(
        attribute,
        nodes,
        limit(driver, 'max_nodes', Limit(max_nodes, '[cluster] max_nodes')),
        'the cluster would have {} nodes in all',
    )


def check_beside(nodes: int, driver: Any, *, max_nodes: int) -> None:
    """Refuse an upgrade during which a cluster has too many nodes.

    :param nodes: of all its groups together, old and new.
    :raises Invalid: as ``check_nodes``.
    """
    check(
        'cluster_template',
        nodes,
        limit(driver, 'max_nodes', Limit(max_nodes, '[cluster] max_nodes')),
        'with its new nodes beside the old ones the cluster would have {} in all',
    )


def check_group(most: int | None, attribute: str, driver: Any, *, max_nodes: int) -> None:
    """Refuse a limit of a node group that no cluster could reach.

    :param most: nodes that the group may have; None for no limit of its own.
    :param attribute: what the user asked for it by.
    :raises Invalid: it is more than a whole cluster may have, or a group of its driver.
    """
    check(
        attribute,
        most or 0,
        limit(driver, 'max_node_count', Limit(max_nodes, '[cluster] max_nodes')),
        'a group of up to {} nodes is asked for',
    )


def check_growth(
    connection: sa.Connection, cluster: Cluster, attribute: str, *, added: int, max_nodes: int
) -> None:
    """Refuse a change that leaves a cluster with too many nodes; last in its transaction, which
    has written the cluster's row, so that no other change grows it meanwhile.

    :param added: how many nodes the change adds; a cluster that does not grow is never refused.
    :raises Invalid: as ``check_nodes``.
    """
    if added > 0:
        _check_sum(connection, cluster, attribute, 0, max_nodes)


def check_ahead(connection: sa.Connection, cluster: Cluster, *, added: int, max_nodes: int) -> None:
    """Refuse the same before anything is written, so that no driver is asked about a number that
    nothing bounds yet.

    :param added: as in ``check_growth``, of ``node_count``.
    :raises Invalid: as ``check_nodes``.
    """
    if added > 0:
        _check_sum(connection, cluster, 'node_count', added, max_nodes)


def _check_sum(
    connection: sa.Connection, cluster: Cluster, attribute: str, further: int, max_nodes: int
) -> None:
    driver = store.rows(
        connection, DriverVersion, name=cluster.driver, version=cluster.driver_version
    )[0]
    check_nodes(nodes(connection, cluster) + further, attribute, driver, max_nodes=max_nodes)


def nodes(connection: sa.Connection, cluster: Cluster) -> int:
    """How many nodes all groups of a cluster want together."""
    query = sa.select(sa.func.sum(nodegroups.c.node_count)).where(
        nodegroups.c.cluster_id == cluster.uuid
    )
    return int(connection.execute(query).scalar_one())


def check_groups(connection: sa.Connection, cluster: Cluster, *, most: int) -> None:
    """Refuse a node group too many; as ``check_growth``.

    :raises BadRequest: with it the cluster has more than ``most``.
    """
    count = store.count(connection, NodeGroup, cluster_id=cluster.uuid)
    if count > most:
        raise BadRequest(
            reason=f'Cluster {cluster.uuid} has {count - 1} node groups, at most '
            f'{most} are accepted ([cluster] max_node_groups)'
        )
