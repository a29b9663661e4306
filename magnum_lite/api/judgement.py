"""Judgement: what the driver says of a request, before it is accepted.

A conductor is asked, since only those have drivers. Its silence lets the request in: then the
operation fails. The question is JSON; no secret stands open in it, and nobody's rights:

``kind``, ``project_id``, ``user_id``, ``request_id``
   as those of the operation; the project is the caller's
``cluster``
   its uuid and what changes; all attributes of a new one
``groups``
   ``{uuid: what changes, or all attributes of a new one}``
``focus``
   uuid of the one group that is to change; None for all
``template``
   the attributes of one that is not in the database; else None
``sealed``
   ``{attribute of the template: sealed text}`` of its proxies, which may have passwords; left out
   where there are none. A conductor of release 1.1 judges without them
"""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from magnum_lite.api.endpoint import Request
from magnum_lite.cloud.lookups import Lookups
from magnum_lite.exceptions import Invalid
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, labels
from magnum_lite.objects.base import Resource
from magnum_lite.objects.change import Change
from magnum_lite.objects.cluster_template import PROXIES
from magnum_lite.secrets.keyring import Keyring

# Whose rights a cluster uses; and moments, which no Spec has.
_LEFT_OUT = ('id', 'identity', 'created_at', 'updated_at')


def of_new(
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
    _refuse(_ask_of_new(request, cluster, groups, capabilities, lookups))


def of_template(
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
    refusal = _ask_of_new(request, cluster, groups, capabilities, lookups, template)
    if refusal and _says(template, refusal['path'], changed):
        _refuse(refusal)


def _ask_of_new(
    request: Request,
    cluster: Cluster,
    groups: Iterable[NodeGroup],
    capabilities: Collection[str],
    lookups: Lookups,
    template: ClusterTemplate | None = None,
) -> dict[str, str] | None:
    values = _values(cluster)
    values |= request.service.delegations.foreseen(capabilities)
    return _ask(
        request,
        'create',
        values,
        {group.uuid: _values(group) for group in groups},
        template=_values(template) if template else None,
        lookups=lookups,
    )


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


def of_change(
    request: Request,
    cluster: str,
    change: Change,
    focus: str | None,
    lookups: Lookups | None = None,
) -> None:
    """Refuse a change that the driver of a cluster would not make.

    :param cluster: its uuid.
    :param focus: uuid of the one group that it is of.
    :raises Invalid: with the driver's words.
    """
    _refuse(
        _ask(
            request,
            change.kind,
            {**change.cluster, 'uuid': cluster},
            change.groups,
            focus=focus,
            lookups=lookups,
        )
    )


def _ask(
    request: Request,
    kind: str,
    cluster: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Any]],
    *,
    focus: str | None = None,
    template: Mapping[str, Any] | None = None,
    lookups: Lookups | None = None,
) -> dict[str, str] | None:
    """The refusal, as ``path`` and ``reason``.

    :param lookups: those of the request, which share their time with this.
    """
    conf, context = request.service.conf, request.context
    left_s = conf.cloud.lookup_budget_s
    if lookups and lookups.until is not None:
        left_s = lookups.until - time.monotonic()
    proxies = {name: template[name] for name in PROXIES if template and template[name]}
    sealed = Keyring(conf).sealed(cluster['uuid'], proxies) if proxies else {}
    return request.service.asker.validate(
        {
            'kind': kind,
            'project_id': context.project_id,
            'user_id': context.user_id,
            'request_id': context.request_id,
            'cluster': dict(cluster),
            'groups': dict(groups),
            'focus': focus,
            **({'sealed': sealed} if sealed else {}),
            'template': {**template, **dict.fromkeys(proxies)} if template else None,
        },
        min(conf.api.validate_s, left_s),
    )


def _refuse(refusal: dict[str, str] | None) -> None:
    if refusal:
        raise Invalid(path=refusal['path'], reason=refusal['reason'])


def _values(row: Resource) -> dict[str, Any]:
    return {name: value for name, value in row.as_row().items() if name not in _LEFT_OUT}
