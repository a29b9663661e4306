"""Discovery documents; they need no token."""

from typing import Any

from magnum_lite.api import microversion
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.links import links

_DOCS = 'https://docs.openstack.org/api-ref/container-infrastructure-management/'
_COLLECTIONS = ('certificates', 'clusters', 'clustertemplates', 'credentials', 'federations',
                'mservices', 'quotas', 'stats')
# What is here and not upstream.
_OURS = ('drivers',)


@endpoint('GET', '/')
def versions(request: Request) -> dict[str, Any]:
    """The versions of the API."""
    return {
        'name': 'OpenStack Magnum API',
        'description': 'Container clusters on OpenStack, made by Heat.',
        'versions': [_version(request)],
    }


@endpoint('GET', '/v1')
def version(request: Request) -> dict[str, Any]:
    """What version 1 has."""
    found = _version(request)
    found['links'].append({'rel': 'describedby', 'type': 'text/html', 'href': _DOCS})
    found['media_types'] = [{'base': 'application/json',
                             'type': 'application/vnd.openstack.magnum.v1+json'}]
    below = {name: name for name in (*_COLLECTIONS, *_OURS)}
    below |= {name: f'clusters/{{cluster_id}}/{name}' for name in ('nodegroups', 'operations')}
    return found | {name: links(request.base, path, '') for name, path in below.items()}


def _version(request: Request) -> dict[str, Any]:
    return {'id': 'v1', 'status': 'CURRENT', 'min_version': microversion.OLDEST,
            'max_version': microversion.NEWEST,
            'links': [{'rel': 'self', 'href': f'{request.base}/v1/'}]}
