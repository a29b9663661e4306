"""New clusters: which driver makes them, with what, and whether it would.

Templates are judged by the least cluster that they could make.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.exceptions import Invalid
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, labels
from magnum_lite.objects.base import Resource
from magnum_lite.objects.cluster_template import PROXIES
from magnum_lite.objects.nodegroup import DEFAULT_MASTER, DEFAULT_WORKER
from magnum_lite.secrets.keyring import Keyring

# Whose rights a cluster uses; and moments, which no Spec has.
_LEFT_OUT = ('id', 'identity', 'created_at', 'updated_at')


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


def check_attributes(driver: Any, given: Mapping[str, Any]) -> None:
    """Refuse what the driver says it does not know, which no conductor has to be asked for.

    :param driver: row of the driver version; one of an older package says nothing.
    :param given: ``{attribute: value}``, as far as it is new.
    :raises Invalid: naming what would be accepted.
    """
    for name, known in driver.config_schema.get('attributes', {}).items():
        if given.get(name) not in (None, *known):
            raise Invalid(
                path=name, reason=f'one of {", ".join(known)} is expected', value=given[name]
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


def judge(
    request: Request,
    cluster: Cluster,
    groups: Iterable[NodeGroup],
    capabilities: Collection[str],
    lookups: Lookups,
) -> None:
    """Refuse a cluster that its driver would not build.

    :param capabilities: of the driver.
    :raises Invalid: with the driver's words.
    """
    _refuse(_ask(request, cluster, groups, capabilities, lookups))


def judge_template(
    request: Request,
    template: ClusterTemplate,
    cluster: Cluster,
    groups: Iterable[NodeGroup],
    capabilities: Collection[str],
    lookups: Lookups,
    changed: Collection[str] | None = None,
) -> None:
    """Refuse what no cluster of a template could be made with.

    A template is not a whole: what it does not say, its clusters may. So only what it says itself
    is its fault.

    :param cluster: the least that can be made of it.
    :param changed: attributes that are new; None for all.
    :raises Invalid: with the driver's words.
    """
    refusal = _ask(request, cluster, groups, capabilities, lookups, template)
    if refusal and _says(template, refusal['path'], changed):
        _refuse(refusal)


def _says(template: ClusterTemplate, path: str, changed: Collection[str] | None) -> bool:
    """Whether a template gives the value at a path."""
    name, _, label = path.partition('.')
    attribute = ClusterTemplate.fields.get(name)
    if attribute is None or changed is not None and name not in changed:
        return False
    value = getattr(template, name)
    if name == 'labels':
        return bool({label, *labels.other_names(label)} & value.keys())
    return value is not None and value != attribute.default


def _ask(
    request: Request,
    cluster: Cluster,
    groups: Iterable[NodeGroup],
    capabilities: Collection[str],
    lookups: Lookups,
    template: ClusterTemplate | None = None,
) -> dict[str, str] | None:
    """What the driver refuses; a conductor is asked for it."""
    shown = _values(template) if template else {}
    proxies = {name: shown[name] for name in PROXIES if shown.get(name)}
    return request.service.asker.ask(
        request.context,
        'create',
        {**_values(cluster), **request.service.delegations.foreseen(capabilities)},
        {group.uuid: _values(group) for group in groups},
        template={**shown, **dict.fromkeys(proxies)} or None,
        sealed=Keyring(request.service.conf).sealed(cluster.uuid, proxies) if proxies else {},
        left_s=lookups.left_s,
    )


def _refuse(refusal: dict[str, str] | None) -> None:
    if refusal:
        raise Invalid(path=refusal['path'], reason=refusal['reason'])


def _values(row: Resource) -> dict[str, Any]:
    return {name: value for name, value in row.as_row().items() if name not in _LEFT_OUT}
