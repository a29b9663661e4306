"""Whether a caller is the server that it says it is: Heat and Nova are asked, with the cluster's
rights.

A server says a hash on its console, which nobody can write but the server, and shows what hashes
to it to us alone.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import answers, identity
from magnum_lite.cloud.heat import Heat
from magnum_lite.driver_sdk import CloudError, CloudUnavailable
from magnum_lite.driver_sdk.enrolment import GROUP_KEY, HANDLE, MARK
from magnum_lite.exceptions import NotEnrolled, Unavailable

_ALIVE = ('BUILD', 'ACTIVE')
_LINES = 400    # of the console, from its end: boots say much


def group_of(conf: cfg.ConfigOpts, who: Mapping[str, Any], stacks: Iterable[str], server: str,
             fingerprint: str) -> str:
    """Uuid of the node group that a server belongs to.

    :param who: the identity of the cluster.
    :param stacks: names of its stacks.
    :param fingerprint: what the server has to have said on its console.
    :raises NotEnrolled: it is no young server of these stacks, or has not said it (yet).
    :raises Unavailable: Heat or Nova do not answer.
    """
    nova = {'endpoint_filter': {'service_type': 'compute', 'interface': conf.cloud.interface,
                                'region_name': conf.cloud.region_name}}
    with _asking(conf, who) as session:
        _stack_of(Heat(conf, session), stacks, server)
        found = session.get(f'/servers/{server}', **nova).json()['server']
        _check(found, conf.enrolment.window_s)
        said = session.post(f'/servers/{server}/action', **nova, json={
            'os-getConsoleOutput': {'length': _LINES}}).json()['output']
    if f'{MARK} {fingerprint}' not in said:
        raise NotEnrolled(reason='its console does not show the proof')
    return str(found['metadata'].get(GROUP_KEY, ''))


def report(conf: cfg.ConfigOpts, who: Mapping[str, Any], stacks: Iterable[str], server: str,
           document: Mapping[str, str]) -> None:
    """Tell Heat what a node says of its boot.

    :param who: the identity of the cluster.
    :param stacks: names of its stacks.
    :param document: as Heat's wait conditions take it.
    :raises NotEnrolled: the server is in none of the stacks.
    :raises Unavailable: Heat does not answer.
    """
    with _asking(conf, who) as session:
        heat = Heat(conf, session)
        heat.signal(_stack_of(heat, stacks, server), HANDLE, document)


@contextmanager
def _asking(conf: cfg.ConfigOpts, who: Mapping[str, Any]) -> Iterator[Session]:
    session = identity.session(conf, who, timeout_s=conf.cloud.lookup_timeout_s)
    try:
        with answers.understood('Nova'):
            yield session
    except CloudUnavailable as error:
        raise Unavailable(what='the cloud') from error
    except CloudError as error:
        raise NotEnrolled(reason='the cloud does not show it') from error
    finally:
        session.session.close()


def _stack_of(heat: Heat, stacks: Iterable[str], server: str) -> str:
    for stack in stacks:
        if heat.holds(stack, server):
            return stack
    raise NotEnrolled(reason='it is not in the stacks of the cluster')


def _check(server: Mapping[str, Any], window_s: int) -> None:
    made = datetime.datetime.fromisoformat(server['created'])
    age = datetime.datetime.now(datetime.UTC) - made
    if server['status'] not in _ALIVE or age.total_seconds() > window_s:
        raise NotEnrolled(reason='it is not one that has just been made')
