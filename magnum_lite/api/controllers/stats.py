"""Statistics: how many clusters and nodes there are."""

from typing import Any

from magnum_lite.api.document import Document
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import stats
from magnum_lite.db.store import ALL, Scope
from magnum_lite.exceptions import Forbidden, Invalid
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Integer, String

_TYPE = 'cluster'
_TOTALS = Document(
    'Stats',
    {
        'clusters': attr(Integer(min=0), doc='Clusters.'),
        'nodes': attr(Integer(min=0), doc='Nodes of all their groups, the control planes too.'),
    },
)


@endpoint(
    'GET',
    '/stats',
    rule='stats:get_all',
    answers=_TOTALS,
    query={
        'project_id': attr(
            String(), doc="Of this project; another than one's own is for administrators."
        ),
        'type': attr(String(), default=_TYPE, doc='Only cluster.'),
    },
)
def show(request: Request) -> dict[str, Any]:
    """The numbers of a project; those of all projects for an administrator who names none."""
    request.authorize()
    context = request.context
    if request.query.get('type', _TYPE).lower() != _TYPE:
        raise Invalid(path='type', reason=f'{_TYPE} is expected', value=request.query['type'])
    project = request.query.get('project_id')
    if project not in (None, context.project_id) and not context.is_admin:
        raise Forbidden('Statistics of other projects are shown to administrators only')
    own = Scope(context.project_id if project is None else project)
    scope = ALL if project is None and context.is_admin else own
    with request.service.db.read() as connection:
        clusters, nodes = stats.totals(connection, scope)
    return {'clusters': clusters, 'nodes': nodes}
