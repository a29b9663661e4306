"""Upgrades: to another template, which stands for another version of the COE."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from magnum_lite.api import changes, schema
from magnum_lite.api.document import ACCEPTED, Document
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.cloud.lookups import Lookups, facts
from magnum_lite.db import store, usage
from magnum_lite.exceptions import BadRequest, Conflict, Invalid
from magnum_lite.objects import (
    Cluster,
    ClusterTemplate,
    NodeGroup,
    deadline,
    labels,
    nodegroup,
)
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.change import Change, Values
from magnum_lite.objects.fields import Integer, String

_WORKS_SINCE = (1, 8)
_UPGRADE = Document(
    'Upgrade',
    {
        'cluster_template': attr(String(min=1), create='required', doc='Template, uuid or name.'),
        'max_batch_size': attr(
            Integer(min=1),
            default=1,
            create='optional',
            unit='nodes',
            doc='Nodes of a group that may be away at a time.',
        ),
        'nodegroup': attr(
            String(min=1),
            create='optional',
            doc='Only this group, uuid or name. Default: the whole cluster.',
        ),
    },
)


@endpoint(
    'POST',
    '/clusters/{cluster}/actions/upgrade',
    rule='cluster:upgrade',
    since=(1, 7),
    status=202,
    takes=_UPGRADE,
    answers=ACCEPTED,
    errors=(Conflict,),
    everywhere='cluster:upgrade_all_projects',
    headers=IGNORED_LABELS,
)
def upgrade(request: Request, cluster: str) -> dict[str, Any]:
    """Move a cluster to another template, or one node group to that of its cluster."""
    given = request.given()
    batch = _batch(request, given)
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        groups = _groups(connection, found, given.get('nodegroup'))
        old = store.get(connection, ClusterTemplate, found.cluster_template_id)
        new = store.get(connection, ClusterTemplate, given['cluster_template'], request.scope)
        driver = changes.driver_that_can(connection, found, 'upgrade')
    one = _one(groups, old, new)
    wanted = _labels(found.labels, old, new)
    warning = _check(request, found, old, new, driver, wanted)
    schema.check_storage(new.docker_storage_driver, found.docker_volume_size)
    limits = _changed_limits(groups, found.labels, wanted)
    # A group that never formed is left out of the upgrade of the others, and goes on saying so.
    left_out = set() if one else nodegroup.unformed(groups)
    surging = _surging(driver, groups, left_out)
    _check_size(request, found, driver, surging)
    with request.lookups() as lookups:
        known = _facts(lookups, found, new, wanted, driver)
    change = Change(
        'upgrade',
        found.version,
        max_batch_size=batch,
        at_end=_target(new, wanted, groups, known, surging),
        at_once=Values(groups=limits),
    )
    changes.make(
        request,
        found,
        change,
        f'upgrade to cluster template {new.uuid}',
        one.uuid if one else None,
        lookups=lookups,
        warning=warning,
        shows=[group.uuid for group in groups if group.uuid not in left_out],
        timeout_min=deadline.of_groups(groups),
    )
    return {'uuid': found.uuid}


def _batch(request: Request, given: Mapping[str, Any]) -> int:
    """How many nodes may be away at a time."""
    if request.version < _WORKS_SINCE:
        raise BadRequest(reason='upgrade is not supported in this microversion, it is from 1.8 on')
    batch, most = given.get('max_batch_size', 1), request.service.conf.cluster.max_nodes
    if batch > most:
        raise Invalid(
            path='max_batch_size',
            value=batch,
            reason=f'a cluster has at most {most} nodes ([cluster] max_nodes)',
        )
    return int(batch)


def _one(
    groups: Sequence[NodeGroup], old: ClusterTemplate, new: ClusterTemplate
) -> NodeGroup | None:
    """The group that is upgraded alone, to the template of its cluster; None for the cluster."""
    if len(groups) != 1 or groups[0].is_default:
        return None
    if new.uuid != old.uuid:
        raise Conflict(
            reason=f'Node group {groups[0].name} can only be upgraded to the template '
            f'of its cluster, {old.uuid}. Upgrade the cluster first'
        )
    return groups[0]


def _surging(driver: Any, groups: list[NodeGroup], left_out: Collection[str]) -> list[NodeGroup]:
    """The groups that get their new nodes beside the old ones."""
    if 'surge' not in driver.capabilities:
        return []
    return [group for group in groups if group.role != 'master' and group.uuid not in left_out]


def _groups(connection: Any, cluster: Cluster, ident: str | None) -> list[NodeGroup]:
    """The groups that are upgraded: a default one stands for the cluster."""
    if ident:
        group = store.get(connection, NodeGroup, ident, cluster_id=cluster.uuid)
        if not group.is_default:
            return [group]
    return store.find(connection, NodeGroup, cluster_id=cluster.uuid)


def _labels(given: Mapping[str, str], old: ClusterTemplate, new: ClusterTemplate) -> dict[str, str]:
    """The labels afterwards: those that came from the old template come from the new one."""
    own = {name: text for name, text in given.items() if old.labels.get(name) != text}
    return {**new.labels, **own}


def _changed_limits(
    groups: Iterable[NodeGroup], old: Mapping[str, str], new: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """``{uuid: values}`` of the default workers, whose limits follow their labels."""
    found = {
        group.uuid: _limits(group, old, new)
        for group in groups
        if group.is_default and group.role != 'master'
    }
    return {uuid: values for uuid, values in found.items() if values}


def _limits(group: NodeGroup, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Any]:
    """The limits of the default workers that follow their labels: one that the group was given
    since then stays. What changes nothing of the group refuses nothing, whatever labels say.

    :raises Invalid: the group does not keep them.
    """
    changed = {
        name: after
        for name, none in (('min_node_count', 0), ('max_node_count', None))
        if (after := labels.number(new, name) or none) != (before := _was(old, name) or none)
        and getattr(group, name) == before
    }
    # The group keeps its other limit, so a number of nodes that keeps both contradicts none.
    least, most = changed.get('min_node_count') or 0, changed.get('max_node_count')
    for name, breaks in (
        ('min_node_count', group.node_count < least),
        ('max_node_count', group.node_count > (most or group.node_count)),
    ):
        if breaks:
            raise Invalid(
                path='cluster_template',
                reason=f'its label {name} is {changed[name]}, '
                f'node group {group.name} has {group.node_count} nodes',
            )
    return changed


def _was(given: Mapping[str, str], name: str) -> int | None:
    """What a label of a cluster that exists says: release 1.0 judged none."""
    try:
        return labels.number(given, name)
    except Invalid:
        return None


def _check(
    request: Request,
    cluster: Cluster,
    old: ClusterTemplate,
    new: ClusterTemplate,
    driver: Any,
    wanted: Mapping[str, str],
) -> str:
    """The sentence about labels that change nothing, or ''."""
    for name in ('coe', 'server_type'):
        if getattr(old, name) != getattr(new, name):
            raise Invalid(
                path='cluster_template',
                reason=f'its {name} is {getattr(new, name)}, {getattr(old, name)} is expected',
            )
    _check_distro(new.cluster_distro, driver)
    return request.check_labels(
        wanted,
        driver,
        {**driver.config, **changes.kept_defaults(cluster), **new.as_row(), **cluster.as_row()},
    )


def _check_size(
    request: Request, cluster: Cluster, driver: Any, surging: Iterable[NodeGroup]
) -> None:
    """Refuse new nodes beside the old ones that make more than a cluster may have.

    :raises Invalid: naming the limit.
    """
    if added := sum(group.node_count for group in surging):
        with request.service.db.read() as connection:
            there = usage.nodes(connection, cluster)
        usage.check_beside(there + added, driver, max_nodes=request.service.conf.cluster.max_nodes)


def _check_distro(distro: str | None, driver: Any) -> None:
    if distro and distro not in driver.distros:  # a silent cloud left it unknown
        raise Invalid(
            path='cluster_template',
            reason=f'driver {driver.name} boots {", ".join(driver.distros)}, not {distro}',
        )


def _facts(
    lookups: Lookups,
    cluster: Cluster,
    template: ClusterTemplate,
    wanted: Mapping[str, str],
    driver: Any,
) -> dict[str, Any]:
    # The flavors stay, but labels of the new template may let nodes boot from their disks.
    named = {
        'image_id': template.image_id,
        'flavor_id': cluster.flavor_id,
        'master_flavor_id': cluster.master_flavor_id,
    }
    config = changes.kept_defaults(cluster)
    image = lookups.check(named, wanted, volume_gib=config.get('boot_volume_size', 0))
    if image:
        _check_distro(image.os_distro, driver)
    # No image while the cloud does not answer: the conductor looks again.
    return {**facts(image), 'config': config}


def _target(
    template: ClusterTemplate,
    wanted: dict[str, str],
    groups: list[NodeGroup],
    facts: dict[str, Any],
    surging: list[NodeGroup],
) -> Values:
    return Values(
        {'cluster_template_id': template.uuid, 'labels': wanted, 'facts': facts},
        {
            group.uuid: {
                'image_id': template.image_id,
                **({'labels': wanted} if group.is_default else {}),
                **({'generation': group.generation + 1, 'removed': []} if group in surging else {}),
            }
            for group in groups
        },
    )
