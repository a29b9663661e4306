"""Quotas: how many clusters a project may have."""

import logging
from typing import Any

from oslo_db import exception as db_exc

from magnum_lite.api import paging, schema
from magnum_lite.api.document import NOTHING, Document, Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import store
from magnum_lite.db.usage import CLUSTER
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.exceptions import Conflict, Forbidden, Invalid, NotFound
from magnum_lite.objects import Quota
from magnum_lite.objects.attribute import attr
from magnum_lite.objects.fields import Boolean, Integer, String

LOG = logging.getLogger(__name__)
_PATH = '/quotas/{project}/{resource}'
_CHANGE = Document(
    'QuotaChange',
    {
        'id': attr(Integer(), create='ignored', doc='Dialogs send it back.'),
        'project_id': attr(String(), create='ignored', doc='What the path says counts.'),
        'resource': attr(String(), create='ignored', doc='What the path says counts.'),
        'hard_limit': Quota.fields['hard_limit'],
    },
)


@endpoint(
    'GET',
    '/quotas',
    rule='quota:get_all',
    answers=Many(Quota),
    query={
        **paging.ARGUMENTS,
        'all_tenants': attr(Boolean(), default=False, doc='Whether those of all projects.'),
    },
)
def list_quotas(request: Request) -> dict[str, Any]:
    """One page of the quotas that were set: the caller's project's, or all with ``all_tenants``."""
    request.authorize()
    wanted = paging.page(request, Quota)
    of_all = schema.accept('all_tenants', Boolean(), request.query.get('all_tenants', 'false'))
    if of_all and not request.context.is_admin:
        raise Forbidden('Quotas of other projects are shown to administrators only')
    scope = store.ALL if of_all else store.Scope(request.context.project_id)
    with request.service.db.read() as connection:
        rows = store.page(connection, Quota, wanted, scope)
    return paging.document(
        request, 'quotas', 'quotas', wanted, rows, [_view(request, row) for row in rows]
    )


@endpoint('GET', _PATH, rule='quota:get', answers=Quota)
def show(request: Request, project: str, resource: str) -> dict[str, Any]:
    """The quota of a project; without one of its own, the configured limit."""
    request.authorize()
    if project != request.context.project_id and not request.context.is_admin:
        raise Forbidden('Quotas of other projects are shown to administrators only')
    with request.service.db.read() as connection:
        found = store.rows(connection, Quota, project_id=project, resource=resource)
    if found:
        return _view(request, found[0])
    return {
        'hard_limit': request.service.conf.api.cluster_quota,
        'project_id': project,
        'resource': resource,
    }


@endpoint(
    'POST',
    '/quotas',
    rule='quota:create',
    status=201,
    takes=Quota,
    answers=Quota,
    errors=(NotFound, Conflict),
)
def create(request: Request) -> dict[str, Any]:
    """Set the quota of a project that has none yet."""
    given = request.given()
    if given.get('resource', CLUSTER) != CLUSTER:
        raise Invalid(path='resource', reason=f'{CLUSTER} is expected', value=given['resource'])
    request.authorize()
    quota = Quota.new(**given)
    if not _exists(request, quota.project_id):
        raise NotFound(noun='Project', ident=quota.project_id)
    try:
        request.service.db.write(store.insert, quota)
    except db_exc.DBDuplicateEntry:
        raise Conflict(
            reason=f'Project {quota.project_id} has a quota of {quota.resource} already'
        ) from None
    return _view(request, quota)


def _exists(request: Request, project_id: str) -> bool:
    """A Keystone that does not answer, or does not tell the service, vouches for every project."""
    try:
        return request.service.delegations.has_project(project_id)
    except CloudUnavailable as error:
        LOG.warning('Nobody knows whether project %s exists: %s', project_id, error)
        return True


@endpoint('PATCH', _PATH, rule='quota:update', status=202, takes=_CHANGE, answers=Quota)
def update(request: Request, project: str, resource: str) -> dict[str, Any]:
    """Change a quota: a plain object; what the path says counts, not the same in the body."""
    limit = request.given().get('hard_limit', Quota.fields['hard_limit'].default)
    request.authorize()
    return _view(request, request.service.db.write(_change, project, resource, limit))


def _change(connection: Any, project: str, resource: str, limit: int) -> Any:
    where = {'project_id': project, 'resource': resource}
    if not store.update(connection, Quota, {'hard_limit': limit}, **where):
        raise _no_quota(project, resource)
    return store.rows(connection, Quota, **where)[0]


@endpoint('DELETE', _PATH, rule='quota:delete', answers=NOTHING)
def delete(request: Request, project: str, resource: str) -> None:
    """Give a project the configured limit again."""
    request.authorize()
    request.service.db.write(_delete, project, resource)


def _delete(connection: Any, project: str, resource: str) -> None:
    if not store.delete(connection, Quota, project_id=project, resource=resource):
        raise _no_quota(project, resource)


def _no_quota(project: str, resource: str) -> NotFound:
    return NotFound(noun='Quota', ident=f'of {resource} of project {project}')


def _view(request: Request, row: Any) -> dict[str, Any]:
    return schema.view(Quota, row, request.version)
