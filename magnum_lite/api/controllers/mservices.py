"""Conductors and whether they are alive."""

from typing import Any

from magnum_lite.api.document import Document, Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.missing import taken
from magnum_lite.api.schema import moment
from magnum_lite.db import services
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.base import stamps
from magnum_lite.objects.fields import Boolean, Enum, Integer, String

_SERVICE = Document(
    'Service',
    {
        'id': attr(Integer(), doc='Row id.'),
        'host': attr(String(), doc='Name of its machine.'),
        'binary': attr(String(), doc='magnum-conductor.'),
        'state': attr(Enum('up', 'down'), doc='Whether it was seen lately.'),
        'report_count': attr(Integer(), doc='Heartbeats so far.'),
        'disabled': attr(Boolean(), doc='Whether it takes no work.'),
        'disabled_reason': attr(String(), nullable=True, doc='Why it takes none.'),
        **stamps(),
    },
    collection='mservices',
)
taken('/mservices/{mservice}')


@endpoint('GET', '/mservices', rule='magnum-service:get_all', answers=Many(_SERVICE, paged=False))
def list_services(request: Request) -> dict[str, Any]:
    """All of them."""
    request.authorize()
    down_s = request.service.conf.api.service_down_s
    with request.service.db.read() as connection:
        rows = services.rows(connection, down_s=down_s)
    return {'mservices': [_view(row) for row in rows]}


def _view(row: Any) -> dict[str, Any]:
    return {
        'id': row.id,
        'host': row.host,
        'binary': row.binary,
        'state': 'up' if row.is_up else 'down',
        'report_count': row.report_count,
        'disabled': bool(row.disabled),
        'disabled_reason': row.disabled_reason,
        'created_at': moment(row.created_at),
        'updated_at': moment(row.updated_at),
    }
