"""Which servers a project has: one list, whatever there is, and a look at those it leaves out."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import answers, identity, transport
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.driver_sdk.enrolment import GROUP_KEY

# Nobody can work on them; Nova may still know them, and they may come back.
_DEAD = ('ERROR', 'DELETED', 'SOFT_DELETED')
_PAGE = 1000  # Nova's default max_limit; one with less says that there is more
_MOST_PAGES = 100
_MOST_ASKED = 100  # servers that one look asks for by their ids


def by_group(conf: cfg.ConfigOpts, who: Mapping[str, Any]) -> Mapping[str, set[str]]:
    """``{node group uuid: ids of its servers that are alive}``, by their metadata.

    :param who: an identity in the project.
    :raises CloudError: Nova refused, or does not answer.
    """
    found: dict[str, set[str]] = defaultdict(set)
    with _nova(conf, who) as (session, where):
        for server in _all(session, where):
            if server['status'] not in _DEAD:
                found[server['metadata'].get(GROUP_KEY, '')].add(server['id'])
    return found


def gone(conf: cfg.ConfigOpts, who: Mapping[str, Any], made: Collection[str]) -> list[str]:
    """Which servers Nova knows no more; of many that it does not list, some.

    :param made: ids of servers that were there.
    :raises CloudError: as ``by_group``.
    """
    with _nova(conf, who) as (session, where):
        listed = {server['id'] for server in _all(session, where) if server['status'] != 'DELETED'}
        # A list leaves out what a part of Nova has that is down; asked for one, Nova says so.
        return [
            server
            for server in sorted(set(made) - listed)[:_MOST_ASKED]
            if _is_unknown(session, where, server)
        ]


@contextmanager
def _nova(
    conf: cfg.ConfigOpts, who: Mapping[str, Any]
) -> Iterator[tuple[Session, Mapping[str, Any]]]:
    """A session, and what finds Nova by it."""
    session = identity.session(conf, who, timeout_s=conf.cloud.heat_timeout_s)
    where = {
        'endpoint_filter': {
            'service_type': 'compute',
            'interface': conf.cloud.interface,
            'region_name': conf.cloud.region_name,
        }
    }
    try:
        with answers.understood('Nova'), transport.within(conf.cloud.heat_timeout_s):
            yield session, where
    finally:
        session.session.close()


def _all(session: Session, where: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    params: dict[str, Any] = {'limit': _PAGE}
    for _ in range(_MOST_PAGES):
        page = session.get('/servers/detail', params=params, **where).json()
        yield from page['servers']
        if not page.get('servers_links'):
            return
        params['marker'] = page['servers'][-1]['id']
    raise CloudUnavailable('Nova has no end of servers')


def _is_unknown(session: Session, where: Mapping[str, Any], server: str) -> bool:
    answer = session.get(f'/servers/{server}', raise_exc=False, **where)
    if answer.status_code == 404 and 'itemNotFound' in answer.text:  # no proxy says so
        return True
    if answer.status_code != 200:
        raise answers.status('Nova', answer.status_code)
    return bool(answer.json()['server']['status'] == 'DELETED')
