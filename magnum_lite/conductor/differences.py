"""What differs in the cloud from what the last change of a cluster left, in words."""

from collections.abc import Mapping, Sequence

from magnum_lite.db.engine import Row
from magnum_lite.driver_sdk.backend import Access, Found
from magnum_lite.objects.statuses import STABLE

MOST_SHOWN = 20  # parts of one cluster
MOST_TEXT = 500  # characters about one
MOST_IDS = 5


def of_servers(
    access: Access,
    found: Mapping[str, Found],
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
    made = {server for name in list(found)[:MOST_SHOWN] for server in access.members(name).servers}
    missing = ', '.join(sorted(made - there)[:MOST_IDS])
    return {'servers': '; '.join(lacking)[:MOST_TEXT] + (f'; missing: {missing}' * bool(missing))}


def prefixes(noun: str) -> tuple[str, ...]:
    """What the entries of ``health_status_reason`` begin with that tell what differs.

    :param noun: as ``Backend.noun``.
    """
    return f'{noun} ', 'servers'


def of_parts(
    access: Access,
    noun: str,
    cluster: Row,
    wanted: Mapping[str, str | None],
    found: Mapping[str, Found],
) -> dict[str, str]:
    """What is not as it should be, in words, by ``<noun> <name>``.

    :param noun: as ``Backend.noun``.
    :param wanted: ``{name: digest}`` of the parts that there should be.
    :param found: ``{name: part}`` of those that a look showed.
    """
    told = {}
    for name, digest in wanted.items():
        text = (
            _missing(access, cluster, name)
            if name not in found
            else _state(found[name]) or _changed(access, cluster, found[name], digest)
        )
        if text:
            told[f'{noun} {name}'] = text[:MOST_TEXT]
        if len(told) == MOST_SHOWN:
            break
    return told


def _missing(access: Access, cluster: Row, name: str) -> str:
    """What became of a part that was not shown."""
    if cluster.status not in STABLE:  # it may never have been made
        return ''
    part = access.find(name)
    if part is None:
        return 'is gone'
    if part.cluster == cluster.uuid:
        return ''  # one of the two answers is wrong
    return 'has lost the tags that say whose it is'


def _state(part: Found) -> str:
    if part.gone:
        return 'is gone'
    if part.in_progress:
        return f'is {part.status}, though no operation is at work on it'
    return '' if part.complete else f'is {part.status}: {part.reason}'


def _changed(access: Access, cluster: Row, part: Found, digest: str | None) -> str:
    """What a call made of a part that was served after the last change was done or given up, or
    what a change that failed elsewhere had made of it."""
    if digest in (None, part.digest):
        return ''
    by = (
        'behind the last operation'
        if cluster.status in STABLE
        else 'by the operation that failed, or after it'
    )
    return f'was changed {by}: it has {access.members(part.name).nodes} nodes'
