"""The authority of a swarm itself, by which its nodes know each other: managers replace it.

They know a new one by a number, which is that of the API's authority: so what was done is seen.
"""

import zlib
from typing import Any

from magnum_lite.driver_sdk import ClusterSpec, Waiting
from magnum_lite_swarm import drain, nodes
from magnum_lite_swarm.client import Manager, RefusedError, SilentError

PHASE = 'root'
_CERTIFICATE = '-----BEGIN CERTIFICATE-----'


def step(spec: ClusterSpec, url: str | None) -> Waiting | None:
    """Move one step towards a swarm whose authority, and tokens, are of the time of the API's.

    :param url: where its managers answer.
    :returns: None when they are, and while an older authority of the API is trusted.
    """
    trusted = spec.secrets['ca.docker.trusted'].value or ''
    if trusted.count(_CERTIFICATE) != 1:
        return None
    try:
        manager = Manager(spec, url, timeout_s=drain.STEP_S)
        told = manager.ask('GET', '/swarm')
        number = zlib.crc32(trusted.encode())
        if (told['Spec'].get('CAConfig') or {}).get('ForceRotate') != number:
            _rotate(manager, told, number)
        elif not told.get('RootRotationInProgress'):
            return None
        found = nodes.listed(manager)
    except (SilentError, RefusedError) as error:
        text = f'the swarm gets no new authority: {error}'
        return Waiting(text, trouble=text, phase=PHASE)
    # One that does not come back would be waited for.
    down = ', '.join(node.hostname for node in found if node.is_down)
    return Waiting(
        'nodes get certificates of a new authority of the swarm',
        trouble=f'{down} cannot get one, replace what is down' if down else '',
        phase=PHASE,
    )


def _rotate(manager: Manager, told: Any, number: int) -> None:
    wanted = {**told['Spec'], 'CAConfig': {**(told['Spec'].get('CAConfig') or {})}}
    wanted['CAConfig']['ForceRotate'] = number
    tokens = 'rotateWorkerToken=true&rotateManagerToken=true'
    manager.ask('POST', f'/swarm/update?version={told["Version"]["Index"]}&{tokens}', wanted)
