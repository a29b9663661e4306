"""Lists: which page is wanted, and how it links to the next."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from magnum_lite.api import schema
from magnum_lite.api.endpoint import Request
from magnum_lite.db.store import Page, normal_uuid
from magnum_lite.exceptions import Invalid
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.base import Resource
from magnum_lite.objects.fields import Enum, Integer, String, Uuid

ARGUMENTS = {
    'limit': attr(
        Integer(min=1),
        unit='entries',
        doc='Most entries of the page; the service has a limit of its own.',
    ),
    'marker': attr(Uuid(), doc='Uuid of the last entry of the page before.'),
    'sort_key': attr(String(), default='id', doc='Attribute to sort by; id is by creation.'),
    'sort_dir': attr(Enum('asc', 'desc'), default='asc', doc='Up or down.'),
}


def page(request: Request, resource: type[Resource]) -> Page:
    """The page that the query asks for.

    :raises Invalid: an argument is not understood.
    """
    query = request.query
    marker = None if 'marker' not in query else _marker(resource, query['marker'])
    sort_key = query.get('sort_key', 'id')
    if sort_key != 'id' and (
        sort_key not in resource.attributes() or sort_key in resource.computed
    ):
        raise Invalid(
            path='sort_key', reason='the name of an attribute is expected', value=sort_key
        )
    sort_dir = query.get('sort_dir', 'asc')
    if sort_dir not in ('asc', 'desc'):
        raise Invalid(path='sort_dir', reason='asc or desc is expected', value=sort_dir)
    return Page(_limit(request), marker, sort_key, sort_dir)


def document(
    request: Request,
    collection: str,
    path: str,
    wanted: Page,
    rows: Sequence[Any],
    items: list[dict[str, Any]],
) -> dict[str, Any]:
    """The document of a page, with ``next`` when the page is full.

    :param path: of the list, below the version.
    """
    found: dict[str, Any] = {collection: items}
    if rows and len(rows) == wanted.limit:
        kept = {name: value for name, value in request.query.items() if name not in ARGUMENTS}
        found['next'] = f'{request.base}/v1/{path}?' + urlencode(
            {
                **kept,
                'sort_key': wanted.sort_key,
                'sort_dir': wanted.sort_dir,
                'limit': wanted.limit,
                'marker': _ident(rows[-1]),
            }
        )
    return found


def _marker(resource: type[Resource], text: str) -> str | int:
    if 'uuid' not in resource.fields:
        row: int = schema.accept('marker', Integer(min=1), text)
        return row
    uuid = normal_uuid(text)
    if uuid is None:
        raise Invalid(path='marker', reason='a uuid is expected', value=text)
    return uuid


def _ident(row: Any) -> str | int:
    """What a marker names the row by."""
    ident: str | int = row.uuid if hasattr(row, 'uuid') else row.id
    return ident


def _limit(request: Request) -> int:
    most: int = request.service.conf.api.max_limit
    text = request.query.get('limit')
    if text is None:
        return most
    try:
        limit = int(text)
    except ValueError:
        limit = 0
    if limit < 1:
        raise Invalid(path='limit', reason='an integer from 1 is expected', value=text)
    return min(limit, most)
