"""Upgrades: to another template, which stands for another version of the COE."""

from collections.abc import Mapping
from typing import Any

from magnum_lite.api.controllers.clusters import change_of, driver_that_can
from magnum_lite.api.document import ACCEPTED, Document
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.db import accept, store
from magnum_lite.exceptions import BadRequest, Conflict, Invalid
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, deadline
from magnum_lite.objects.attribute import attr
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
    if request.version < _WORKS_SINCE:
        raise BadRequest(reason='upgrade is not supported in this microversion, it is from 1.8 on')
    batch, most = given.get('max_batch_size', 1), request.service.conf.cluster.max_nodes
    if batch > most:
        raise Invalid(
            path='max_batch_size',
            reason=f'a cluster has at most {most} nodes ([cluster] max_nodes)',
        )
    with request.service.db.read() as connection:
        found = store.get(connection, Cluster, cluster, request.scope)
        request.authorize(found)
        groups = _groups(connection, found, given.get('nodegroup'))
        old = store.get(connection, ClusterTemplate, found.cluster_template_id)
        new = store.get(connection, ClusterTemplate, given['cluster_template'], request.scope)
        driver = driver_that_can(connection, found, 'upgrade', 'upgrades')
    one = groups[0] if len(groups) == 1 and not groups[0].is_default else None
    if one and new.uuid != old.uuid:
        raise Conflict(
            reason=f'Node group {one.name} can only be upgraded to the template of its '
            f'cluster, {old.uuid}. Upgrade the cluster first'
        )
    wanted = _labels(found.labels, old, new)
    _check(request, old, new, driver, wanted)
    operation = change_of(
        request,
        found,
        'upgrade',
        f'upgrade to cluster template {new.uuid}',
        node_group=one.uuid if one else None,
        target=_target(new, wanted, groups, _facts(request, new), batch),
    )
    nodes = sum(group.node_count for group in groups)
    request.accept(
        accept.whole,
        found,
        operation,
        groups=[group.uuid for group in groups],
        timeout_min=deadline.timeout_min(nodes),
    )
    request.service.waker.wake(operation.uuid)
    return {'uuid': found.uuid}


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


def _check(
    request: Request,
    old: ClusterTemplate,
    new: ClusterTemplate,
    driver: Any,
    wanted: Mapping[str, str],
) -> None:
    for name in ('coe', 'server_type'):
        if getattr(old, name) != getattr(new, name):
            raise Invalid(
                path='cluster_template',
                reason=f'its {name} is {getattr(new, name)}, {getattr(old, name)} is expected',
            )
    if new.cluster_distro not in driver.distros:
        raise Invalid(
            path='cluster_template',
            reason=f'driver {driver.name} boots {", ".join(driver.distros)}, '
            f'not {new.cluster_distro}',
        )
    request.check_labels(wanted, driver)


def _facts(request: Request, template: ClusterTemplate) -> dict[str, Any]:
    with request.lookups() as lookups:
        image = lookups.image(template.image_id)
    if image is None:  # the cloud does not answer: the conductor looks again
        return {}
    return {'image': {'id': image.id, 'name': image.name, 'os_distro': image.os_distro}}


def _target(
    template: ClusterTemplate,
    wanted: dict[str, str],
    groups: list[NodeGroup],
    facts: dict[str, Any],
    max_batch_size: int,
) -> dict[str, Any]:
    return {
        'max_batch_size': max_batch_size,
        'cluster': {'cluster_template_id': template.uuid, 'labels': wanted, 'facts': facts},
        'groups': {
            group.uuid: {
                'image_id': template.image_id,
                **({'labels': wanted} if group.is_default else {}),
            }
            for group in groups
        },
    }
