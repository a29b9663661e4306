"""Whether a caller is the server that it says it is: Heat and Nova are asked, with the cluster's
rights.

A server has Nova keep a hash as its password, which nobody can set but the server, and shows what
hashes to it to us alone.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import answers, identity
from magnum_lite.cloud.heat import Heat
from magnum_lite.driver_sdk import CloudError, CloudUnavailable
from magnum_lite.driver_sdk.enrolment import GROUP_KEY, HANDLE
from magnum_lite.exceptions import NotEnrolled, Unavailable

_ALIVE = ('BUILD', 'ACTIVE')
_ELSEWHERE = 'it is not in the stacks of the cluster'


def group_of(
    conf: cfg.ConfigOpts,
    who: Mapping[str, Any],
    stacks: Iterable[str],
    server: str,
    fingerprint: str,
) -> str:
    """Uuid of the node group that a server belongs to.

    :param who: the identity of the cluster.
    :param stacks: names of its stacks.
    :param fingerprint: what Nova has to have as the server's password.
    :raises NotEnrolled: it is no young server of these stacks, or has not set it (yet).
    :raises Unavailable: Heat or Nova do not answer.
    """
    nova = {
        'endpoint_filter': {
            'service_type': 'compute',
            'interface': conf.cloud.interface,
            'region_name': conf.cloud.region_name,
        }
    }
    with _asking(conf, who) as session:
        # Nova first: a server that somebody made up costs one call, and not one for each stack.
        try:
            found = session.get(f'/servers/{server}', **nova).json()['server']
        except ksa_exc.NotFound as error:
            raise NotEnrolled(reason=_ELSEWHERE) from error
        _check(found, conf.enrolment.window_s)
        group = str(found['metadata'].get(GROUP_KEY, ''))
        # Drivers name a stack by its group: that one is likely to be the right one.
        _stack_of(
            Heat(conf, session), sorted(stacks, key=lambda name: group[:8] not in name), server
        )
        kept = session.get(f'/servers/{server}/os-server-password', **nova).json()['password']
    if kept != fingerprint:
        raise NotEnrolled(reason='its password in Nova is not that of the proof')
    return group


def report(
    conf: cfg.ConfigOpts,
    who: Mapping[str, Any],
    stacks: Iterable[str],
    server: str,
    document: Mapping[str, str],
) -> None:
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
    raise NotEnrolled(reason=_ELSEWHERE)


def _check(server: Mapping[str, Any], window_s: int) -> None:
    made = datetime.datetime.fromisoformat(server['created'])
    age = datetime.datetime.now(datetime.UTC) - made
    if server['status'] not in _ALIVE or age.total_seconds() > window_s:
        raise NotEnrolled(reason='it is not one that has just been made')
