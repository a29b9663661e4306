"""A manager that leaves the others in good order, so that its server may go.

A quorum is kept: it leaves only while all others are there. Unlike a worker, one that cannot be
asked holds a change up: without it the swarm may be lost.
"""

import time
from typing import Any

from magnum_lite.driver_sdk import ClusterSpec, Waiting
from magnum_lite_swarm import drain, nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError

PHASE = 'managers'


def step(spec: ClusterSpec, url: str | None, server: str) -> Waiting | None:
    """Move one step towards a swarm in which a server is no manager.

    :param url: where its managers answer.
    :returns: None when it is none, or never was.
    """
    at: dict[str, Any] = {'server': server, 'began': time.time()}
    if spec.phase == PHASE and spec.cursor and spec.cursor['server'] == server:
        at = dict(spec.cursor)
    try:
        manager = Manager(spec, url, timeout_s=drain.STEP_S)
        if _says_so(manager, server):
            return None
        found = nodes.listed(manager)
        node = next((node for node in found if node.server == server), None)
        if node is None or not node.is_manager:
            return None
        others = [other for other in found if other.is_manager and other is not node]
        lacking = [other.hostname for other in others if not (other.is_ready and other.reachable)]
        if lacking or not others:
            return _waiting(
                at,
                f'manager {node.hostname} has to stay',
                f'{", ".join(lacking) or "no other"} '
                f'{"cannot be reached by the others" if lacking else "is in the swarm"}',
            )
        is_late = time.time() - at['began'] >= spec.config['drain_timeout']
        if node.availability != 'drain':
            drain.change(manager, node, Availability='drain')
        elif is_late or not drain.tasks(manager, node):
            drain.change(manager, node, Role='worker')
        return _waiting(at, f'manager {node.hostname} leaves the others')
    except (SilentError, RefusedError) as error:
        return _waiting(
            at, 'a manager is to leave the others', f'the swarm does not let it: {error}'
        )


def _says_so(manager: Manager, server: str) -> bool:
    """Whether who answers is that server, and says that it is no manager.

    It cannot say more: only a manager knows of others.
    """
    told = manager.ask('GET', '/info') or {}
    swarm = told.get('Swarm') or {}
    return (
        f'{nodes.SERVER}={server}' in (told.get('Labels') or [])
        and swarm.get('LocalNodeState') == 'active'
        and not swarm.get('ControlAvailable')
    )


def _waiting(at: dict[str, Any], reason: str, trouble: str = '') -> Waiting:
    return Waiting(
        f'{reason}: {trouble}' if trouble else reason, trouble=trouble, phase=PHASE, cursor=at
    )
