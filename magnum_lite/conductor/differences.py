"""What differs in the cloud from what the last change of a cluster left, in words."""

from collections.abc import Mapping, Sequence

from magnum_lite.db.engine import Row
from magnum_lite.driver_sdk import Heat, StackView
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.objects.status import STABLE

MOST_SHOWN = 20  # stacks of one cluster
MOST_TEXT = 500  # characters about one
MOST_IDS = 5


def of_servers(
    heat: Heat,
    views: Mapping[str, StackView],
    groups: Sequence[Row],
    servers: Mapping[str, set[str]],
) -> dict[str, str]:
    """Which groups have fewer servers than nodes, as ``servers``, and which ids are missing.

    :param groups: rows (uuid, name, node_count) of the cluster.
    :param servers: ``{node group: ids}`` of what is there.
    """
    lacking = [
        f'of {group.name} there are {len(servers.get(group.uuid, ()))} of {group.node_count}'
        for group in groups
        if len(servers.get(group.uuid, ())) < group.node_count
    ]
    if not lacking:
        return {}
    there = set().union(*servers.values())
    made = {
        server
        for view in list(views.values())[:MOST_SHOWN]
        if (full := heat.get(view.id))
        for server in (full.outputs.get('refs_map') or {}).values()
    }
    missing = ', '.join(sorted(made - there)[:MOST_IDS])
    return {'servers': '; '.join(lacking)[:MOST_TEXT] + (f'; missing: {missing}' * bool(missing))}


def of_stacks(
    heat: Heat, cluster: Row, stacks: Mapping[str, str | None], views: Mapping[str, StackView]
) -> dict[str, str]:
    """What is not as it should be, in words, by ``stack <name>``.

    :param stacks: ``{name: digest}`` of those that there should be.
    :param views: ``{name: stack}`` of those that Heat listed.
    """
    found = {}
    for name, digest in stacks.items():
        text = (
            _missing(heat, cluster, name)
            if name not in views
            else _state(views[name]) or _changed(heat, views[name], digest)
        )
        if text:
            found[f'stack {name}'] = text[:MOST_TEXT]
        if len(found) == MOST_SHOWN:
            break
    return found


def _missing(heat: Heat, cluster: Row, name: str) -> str:
    """What became of a stack that was not listed."""
    if cluster.status not in STABLE:  # it may never have been made
        return ''
    view = heat.get(name)
    if view is None:
        return 'is gone'
    if cluster_tag(cluster.uuid) in view.tags:
        return ''  # one of the two answers is wrong
    return 'has lost the tags that say whose it is'


def _state(view: StackView) -> str:
    if view.status == 'DELETE_COMPLETE':
        return 'is gone'
    if view.in_progress:
        return f'is {view.status}, though no operation is at work on it'
    return '' if view.status in STABLE else f'is {view.status}: {view.reason}'


def _changed(heat: Heat, view: StackView, digest: str | None) -> str:
    """What a call made of a stack that Heat served after the last change was done or given up."""
    if digest is None or f'plan:{digest}' in view.tags:
        return ''
    full = heat.get(view.id)
    nodes = len(full.outputs.get('node_addresses') or ()) if full else 0
    return f'was changed behind the last operation: it has {nodes} nodes'
