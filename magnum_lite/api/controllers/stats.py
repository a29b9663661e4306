"""Statistics: how many clusters and nodes there are."""

from typing import Any

from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.microversion import RANGE
from magnum_lite.db import stats
from magnum_lite.db.store import ALL, Scope
from magnum_lite.exceptions import Forbidden, Invalid

_TYPE = 'cluster'


@endpoint('GET', '/stats', rule='stats:get_all',
          query={'project_id': RANGE[0], 'type': RANGE[0]})
def show(request: Request) -> dict[str, Any]:
    """The numbers of a project; those of all projects for an administrator who names none."""
    request.authorize()
    context = request.context
    if request.query.get('type', _TYPE).lower() != _TYPE:
        raise Invalid(path='type', reason=f'{_TYPE} is expected')
    project = request.query.get('project_id', None if context.is_admin else context.project_id)
    if project != context.project_id and not context.is_admin:
        raise Forbidden('Statistics of other projects are shown to administrators only')
    with request.service.db.read() as connection:
        clusters, nodes = stats.totals(connection, ALL if project is None else Scope(project))
    return {'clusters': clusters, 'nodes': nodes}
