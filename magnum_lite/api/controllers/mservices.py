"""Conductors and whether they are alive."""

from typing import Any

from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.schema import moment
from magnum_lite.db import services


@endpoint('GET', '/mservices', rule='magnum-service:get_all')
def list_services(request: Request) -> dict[str, Any]:
    """All of them."""
    request.authorize()
    down_s = request.service.conf.api.service_down_s
    with request.service.db.read() as connection:
        rows = services.rows(connection, down_s=down_s)
    return {'mservices': [_view(row) for row in rows]}


def _view(row: Any) -> dict[str, Any]:
    return {
        'id': row.id, 'host': row.host, 'binary': row.binary,
        'state': 'up' if row.is_up else 'down', 'report_count': row.report_count,
        'disabled': bool(row.disabled), 'disabled_reason': row.disabled_reason,
        'created_at': moment(row.created_at), 'updated_at': moment(row.updated_at)}
