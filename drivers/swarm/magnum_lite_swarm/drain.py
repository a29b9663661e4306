"""Nodes that are to go: their tasks move to others, then they leave the swarm, then Heat ends them.

A swarm that does not answer holds nothing up for long: it may be what the change is to mend.
"""

import math
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import quote

from magnum_lite.driver_sdk import ClusterSpec, Waiting
from magnum_lite_swarm import nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError

PHASE = 'drain'
STEP_S = 15  # of one step, all requests
SILENT_S = 60  # that a swarm is asked again which does not answer
_SERVICES = '/services?status=true'
SETTLED_S = 60  # that services may take to run as they should, from one batch to the next


def step(spec: ClusterSpec, url: str | None, going: Collection[str]) -> Waiting | None:
    """Move one step towards a swarm without the nodes of some servers.

    Those of an older generation go in batches; before each, services have as many tasks as they
    want, or had a while to.

    :param url: where its managers answer.
    :param going: ids of the servers; later steps may be told fewer.
    :returns: None when nothing runs on them any more, or nobody waits for it any longer.
    """
    now = time.time()
    fresh: dict[str, Any] = {'began': now, 'total': len(going), 'silent': None, 'batch': now}
    at: dict[str, Any] = dict(spec.cursor) if spec.phase == PHASE else fresh
    at_a_time = spec.max_batch_size if spec.going else at['total']
    limit_s = spec.config['drain_timeout'] * math.ceil(at['total'] / at_a_time)
    if now - at['began'] >= limit_s:
        return None
    try:
        manager = Manager(spec, url, timeout_s=STEP_S)
    except SilentError:  # there is nobody to ask, and will not be
        return None
    try:
        found = [node for node in nodes.listed(manager) if node.server in going]
        left = _drain(manager, found, at_a_time, lambda: not spec.going or _is_settled(manager, at))
    except (SilentError, RefusedError) as error:
        at['silent'] = at['silent'] or now
        if now - at['silent'] >= SILENT_S:
            return None
        return Waiting(f'the swarm does not let nodes go: {error}', phase=PHASE, cursor=at)
    if not left:
        return None
    return Waiting(
        f'nodes that tasks leave: {len(left)} of {at["total"]}, next {left[0]}',
        phase=PHASE,
        done=max(0, at['total'] - len(left)),
        total=max(at['total'], len(left)),
        cursor={**at, 'silent': None},
    )


def forget(spec: ClusterSpec, url: str | None, present: Collection[str]) -> None:
    """Take out of the swarm what is no server of the cluster any more.

    :param present: ids of the servers that the cluster has.
    """
    try:
        manager = Manager(spec, url, timeout_s=STEP_S)
        for node in nodes.listed(manager):
            if node.server and node.server not in present and not node.is_manager:
                _remove(manager, node)
    except (SilentError, RefusedError):
        # The next change sees them again; until then they are listed as down.
        return


def _drain(
    manager: Manager, going: list[nodes.Node], at_a_time: int, may_begin: Callable[[], bool]
) -> list[str]:
    """Host names of nodes that are not gone yet.

    :param at_a_time: how many drain; more wait for their turn.
    """
    begun = [node for node in going if node.availability == 'drain' and not node.is_manager]
    waiting = [node for node in going if node not in begun]
    left = [node for node in begun if manager.left_s < 2 or not _is_gone(manager, node)]
    turn = waiting[: max(0, at_a_time - len(left))]
    if turn and may_begin():
        for node in turn:
            if manager.left_s > 2:
                change(manager, node, Availability='drain', Role='worker')
    return [node.hostname for node in (*left, *waiting)]


def _is_settled(manager: Manager, at: dict[str, Any]) -> bool:
    """Whether the next batch may begin; notes when it did."""
    now = time.time()
    counts = [row.get('ServiceStatus') or {} for row in manager.ask('GET', _SERVICES) or []]
    is_well = all(
        count.get('RunningTasks', 0) + count.get('CompletedTasks', 0)
        >= count.get('DesiredTasks', 0)
        for count in counts
    )
    if not is_well and now - at['batch'] < SETTLED_S:
        return False
    at['batch'] = now
    return True


def _is_gone(manager: Manager, node: nodes.Node) -> bool:
    """Take a node out of the swarm on which nothing runs any more; whether it is out."""
    if not node.is_down and tasks(manager, node):
        return False
    _remove(manager, node)
    return True


def change(manager: Manager, node: nodes.Node, **values: str) -> None:
    """Set attributes of a node's spec."""
    row = manager.ask('GET', f'/nodes/{node.id}')
    spec = {**row['Spec'], **values}
    manager.ask('POST', f'/nodes/{node.id}/update?version={row["Version"]["Index"]}', spec)


def tasks(manager: Manager, node: nodes.Node) -> int:
    """How many tasks are still at work on a node."""
    filters = quote(f'{{"node":{{"{node.id}":true}}}}')
    rows = manager.ask('GET', f'/tasks?filters={filters}') or []
    return sum((row.get('Status') or {}).get('State') in nodes.WORKING for row in rows)


def _remove(manager: Manager, node: nodes.Node) -> None:
    try:
        manager.ask('DELETE', f'/nodes/{node.id}?force=true')
    except RefusedError as error:
        if error.status != 404:
            raise
