"""Nodes that are to go: their tasks move to others, then they leave the swarm, then Heat ends them.

A swarm that does not answer holds nothing up for long: it may be what the change is to mend.
"""

import time
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from magnum_lite.driver_sdk import ClusterSpec, Waiting
from magnum_lite_swarm import nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError

PHASE = 'drain'
STEP_S = 15  # of one step, all requests
SILENT_S = 60  # that a swarm is asked again which does not answer


def step(spec: ClusterSpec, url: str | None, going: Collection[str]) -> Waiting | None:
    """Move one step towards a swarm without the nodes of some servers.

    :param url: where its managers answer.
    :param going: ids of the servers; later steps may be told fewer.
    :returns: None when nothing runs on them any more, or nobody waits for it any longer.
    """
    now = time.time()
    fresh: dict[str, Any] = {'began': now, 'total': len(going), 'silent': None}
    at: dict[str, Any] = dict(spec.cursor) if spec.phase == PHASE else fresh
    limit_s = spec.config['drain_timeout']
    if now - at['began'] >= limit_s:
        return None
    try:
        manager = Manager(spec, url, timeout_s=STEP_S)
    except SilentError:  # there is nobody to ask, and will not be
        return None
    try:
        left = _drain(manager, [node for node in nodes.listed(manager) if node.server in going])
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


def _drain(manager: Manager, going: list[nodes.Node]) -> list[str]:
    """Host names of nodes that are not gone yet."""
    left = []
    for node in going:
        if manager.left_s < 2 or not _is_gone(manager, node):
            left.append(node.hostname)
    return left


def _is_gone(manager: Manager, node: nodes.Node) -> bool:
    """Take the next step with a node; whether it was the last."""
    if node.availability != 'drain' or node.is_manager:
        _keep_free(manager, node)
        # One that is no manager any more has still to learn it.
        return False
    if not node.is_down and _tasks(manager, node):
        return False
    _remove(manager, node)
    return True


def _keep_free(manager: Manager, node: nodes.Node) -> None:
    row = manager.ask('GET', f'/nodes/{node.id}')
    spec = {**row['Spec'], 'Availability': 'drain', 'Role': 'worker'}
    manager.ask('POST', f'/nodes/{node.id}/update?version={row["Version"]["Index"]}', spec)


def _tasks(manager: Manager, node: nodes.Node) -> int:
    filters = quote(f'{{"node":{{"{node.id}":true}}}}')
    rows = manager.ask('GET', f'/tasks?filters={filters}') or []
    return sum((row.get('Status') or {}).get('State') in nodes.WORKING for row in rows)


def _remove(manager: Manager, node: nodes.Node) -> None:
    try:
        manager.ask('DELETE', f'/nodes/{node.id}?force=true')
    except RefusedError as error:
        if error.status != 404:
            raise
