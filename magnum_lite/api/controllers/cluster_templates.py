"""Cluster templates: shown and deleted; ``cluster_template_changes`` makes and changes them."""

from typing import Any

from magnum_lite.api import paging, views
from magnum_lite.api.document import NOTHING, Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.db import store
from magnum_lite.exceptions import NotFound
from magnum_lite.objects import Cluster, ClusterTemplate


@endpoint(
    'GET',
    '/clustertemplates',
    rule='clustertemplate:get_all',
    query=paging.ARGUMENTS,
    everywhere='clustertemplate:get_all_all_projects',
    answers=Many(ClusterTemplate),
)
def list_templates(request: Request) -> dict[str, Any]:
    """One page of templates: the project's own, and public ones."""
    return _list(request, 'clustertemplates')


@endpoint(
    'GET',
    '/clustertemplates/detail',
    rule='clustertemplate:detail',
    everywhere='clustertemplate:detail_all_projects',
    query=paging.ARGUMENTS,
    answers=Many(ClusterTemplate),
)
def list_details(request: Request) -> dict[str, Any]:
    """One page of templates; the other list shows as much."""
    return _list(request, 'clustertemplates/detail')


def _list(request: Request, path: str) -> dict[str, Any]:
    request.authorize()
    wanted = paging.page(request, ClusterTemplate)
    with request.service.db.read() as connection:
        rows = store.page(connection, ClusterTemplate, wanted, request.scope)
    return paging.document(
        request,
        'clustertemplates',
        path,
        wanted,
        rows,
        [views.cluster_template(request, row) for row in rows],
    )


@endpoint(
    'GET',
    '/clustertemplates/{template}',
    rule='clustertemplate:get',
    everywhere='clustertemplate:get_one_all_projects',
    answers=ClusterTemplate,
)
def show(request: Request, template: str) -> dict[str, Any]:
    """One template."""
    with request.service.db.read() as connection:
        try:
            found = store.get(connection, ClusterTemplate, template, request.scope)
        except NotFound:
            found = _of_own_cluster(connection, request, template)
    if not found.public:
        request.authorize(found)
    return views.cluster_template(request, found)


def _of_own_cluster(connection: Any, request: Request, ident: str) -> ClusterTemplate:
    """A template hidden since the project made a cluster of it: its config still needs it.

    :raises NotFound: the project has no such cluster.
    """
    uuid = store.normal_uuid(ident)
    if uuid and store.count(
        connection, Cluster, cluster_template_id=uuid, project_id=request.context.project_id
    ):
        return store.get(connection, ClusterTemplate, uuid, public=True)
    raise NotFound(noun='ClusterTemplate', ident=ident)


@endpoint(
    'DELETE',
    '/clustertemplates/{template}',
    rule='clustertemplate:delete',
    everywhere='clustertemplate:delete_all_projects',
    answers=NOTHING,
)
def delete(request: Request, template: str) -> None:
    """Delete a template that no cluster is made of."""
    with request.service.db.read() as connection:
        found = store.get(connection, ClusterTemplate, template, request.scope)
    request.authorize(found)
    request.service.db.write(_delete, found.uuid)


def _delete(connection: Any, uuid: str) -> None:
    if not store.delete(connection, ClusterTemplate, uuid=uuid):
        raise NotFound(noun='ClusterTemplate', ident=uuid)
