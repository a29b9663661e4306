"""Discovery documents; they need no token."""

from typing import Any

from magnum_lite.api import microversion, openapi
from magnum_lite.api.document import Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.links import links
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.base import LINKS
from magnum_lite.objects.fields import Json, String

_DOCS = 'https://docs.openstack.org/api-ref/container-infrastructure-management/'
_COLLECTIONS = (
    'certificates',
    'clusters',
    'clustertemplates',
    'credentials',
    'federations',
    'mservices',
    'quotas',
    'stats',
)
# What is here and not upstream.
_OURS = ('drivers',)
_BELOW_CLUSTERS = ('nodegroups', 'operations')
_VERSION = {
    'id': attr(String(), doc='v1.'),
    'status': attr(String(), doc='CURRENT.'),
    'min_version': attr(String(), doc='The oldest microversion.'),
    'max_version': attr(String(), doc='The newest microversion.'),
    'links': LINKS,
}
_VERSIONS = Document(
    'Versions',
    {
        'name': attr(String(), doc='Of the API.'),
        'description': attr(String(), doc='Of the service.'),
        'versions': attr(
            Json({'type': 'array', 'items': {'type': 'object'}}),
            doc='One, as ``GET /v1`` shows it without its collections.',
        ),
    },
)
_RESOURCES = Document(
    'Version',
    {
        **_VERSION,
        'media_types': attr(Json({'type': 'array', 'items': {'type': 'object'}}), doc='JSON.'),
        **{
            name: attr(LINKS.kind, doc='Where they are.')
            for name in (*_COLLECTIONS, *_OURS, *_BELOW_CLUSTERS)
        },
    },
)
_OPENAPI = Document(
    'OpenApi',
    {
        'openapi': attr(String(), doc='The version of the specification.'),
        'paths': attr(Json({'type': 'object'}), doc='The endpoints.'),
    },
    open=True,
)
_KEEP_S = 3600  # a document of a release changes with the next one


@endpoint('GET', '/', answers=_VERSIONS)
def versions(request: Request) -> dict[str, Any]:
    """The versions of the API."""
    return {
        'name': 'OpenStack Magnum API',
        'description': 'Container clusters on OpenStack, made by Heat.',
        'versions': [_version(request)],
    }


@endpoint('GET', '/v1', answers=_RESOURCES)
def version(request: Request) -> dict[str, Any]:
    """What version 1 has."""
    found = _version(request)
    found['links'] += [
        {'rel': 'describedby', 'type': 'text/html', 'href': _DOCS},
        {
            'rel': 'service-desc',
            'type': 'application/json',
            'href': f'{request.base}/v1/openapi.json',
        },
    ]
    found['media_types'] = [
        {'base': 'application/json', 'type': 'application/vnd.openstack.magnum.v1+json'}
    ]
    below = {name: name for name in (*_COLLECTIONS, *_OURS)}
    below |= {name: f'clusters/{{cluster_id}}/{name}' for name in _BELOW_CLUSTERS}
    return found | {name: links(request.base, path, '') for name, path in below.items()}


@endpoint('GET', '/openapi.json', answers=_OPENAPI)
def description(request: Request) -> dict[str, Any]:
    """All endpoints, as an OpenAPI 3.1 document."""
    request.headers['Cache-Control'] = f'public, max-age={_KEEP_S}'
    return openapi.document(request.base)


def _version(request: Request) -> dict[str, Any]:
    return {
        'id': 'v1',
        'status': 'CURRENT',
        'min_version': microversion.OLDEST,
        'max_version': microversion.NEWEST,
        'links': [{'rel': 'self', 'href': f'{request.base}/v1/'}],
    }
