"""What is refused of new clusters, and of templates by the least cluster that they could make."""

from collections.abc import Collection, Iterable
from typing import Any

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.exceptions import Invalid
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, labels
from magnum_lite.objects.base import Resource
from magnum_lite.objects.cluster_template import PROXIES
from magnum_lite.secrets.keyring import Keyring

# Whose rights a cluster uses; and moments, which no Spec has.
_LEFT_OUT = ('id', 'identity', 'created_at', 'updated_at')


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
