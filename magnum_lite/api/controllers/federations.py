"""Federations: there are none, which is what upstream's own service comes down to."""

from typing import Any, NoReturn

from magnum_lite.api import paging, patch
from magnum_lite.api.document import ACCEPTED, NOTHING, Document, Many, Patch
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.exceptions import BadRequest, NotFound
from magnum_lite.objects import Cluster

_FEDERATION = Document('Federation', {}, collection='federations', open=True)


@endpoint(
    'GET',
    '/federations',
    rule='federation:get_all',
    answers=Many(_FEDERATION),
    query=paging.ARGUMENTS,
)
def list_federations(request: Request) -> dict[str, Any]:
    """None."""
    return _list(request)


@endpoint(
    'GET',
    '/federations/detail',
    rule='federation:detail',
    answers=Many(_FEDERATION),
    query=paging.ARGUMENTS,
)
def list_details(request: Request) -> dict[str, Any]:
    """As ``list_federations``."""
    return _list(request)


def _list(request: Request) -> dict[str, Any]:
    request.authorize()
    marker = paging.page(request, Cluster).marker  # sorted by what clusters are sorted by
    if marker is not None:
        raise _unknown(marker)
    return {'federations': []}


@endpoint('GET', '/federations/{federation}', rule='federation:get', answers=_FEDERATION)
def show(request: Request, federation: str) -> NoReturn:
    """Not found."""
    request.authorize()
    raise _unknown(federation)


@endpoint(
    'POST',
    '/federations',
    rule='federation:create',
    status=202,
    takes=_FEDERATION,
    answers=ACCEPTED,
)
def create(request: Request) -> NoReturn:
    """Refused."""
    request.authorize()
    raise BadRequest(reason='Federations are not supported')


@endpoint(
    'PATCH',
    '/federations/{federation}',
    rule='federation:update',
    status=202,
    takes=Patch(Cluster),
    answers=ACCEPTED,
)
def update(request: Request, federation: str) -> NoReturn:
    """Not found."""
    patch.parse(request.body)
    request.authorize()
    raise _unknown(federation)


@endpoint('DELETE', '/federations/{federation}', rule='federation:delete', answers=NOTHING)
def delete(request: Request, federation: str) -> NoReturn:
    """Not found."""
    request.authorize()
    raise _unknown(federation)


def _unknown(ident: str | int) -> NotFound:
    return NotFound(noun='Federation', ident=ident)
