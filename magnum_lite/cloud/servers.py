"""Which servers a project has, by the node group whose they are: one list, whatever there is."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from oslo_config import cfg

from magnum_lite.cloud import answers, identity, transport
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.driver_sdk.enrolment import GROUP_KEY

_GONE = ('ERROR', 'DELETED', 'SOFT_DELETED')
_PAGE = 1000  # Nova's default max_limit; one with less says that there is more
_MOST_PAGES = 100


def by_group(conf: cfg.ConfigOpts, who: Mapping[str, Any]) -> Mapping[str, set[str]]:
    """``{node group uuid: ids of its servers that are there}``, by their metadata.

    :param who: an identity in the project.
    :raises CloudError: Nova refused, or does not answer.
    """
    session = identity.session(conf, who, timeout_s=conf.cloud.heat_timeout_s)
    nova = {
        'endpoint_filter': {
            'service_type': 'compute',
            'interface': conf.cloud.interface,
            'region_name': conf.cloud.region_name,
        }
    }
    found: dict[str, set[str]] = defaultdict(set)
    params: dict[str, Any] = {'limit': _PAGE}
    try:
        with answers.understood('Nova'), transport.within(conf.cloud.heat_timeout_s):
            for _ in range(_MOST_PAGES):
                page = session.get('/servers/detail', params=params, **nova).json()
                for server in page['servers']:
                    if server['status'] not in _GONE:
                        found[server['metadata'].get(GROUP_KEY, '')].add(server['id'])
                if not page.get('servers_links'):
                    return found
                params['marker'] = page['servers'][-1]['id']
    finally:
        session.session.close()
    raise CloudUnavailable('Nova has no end of servers')
