"""Cluster templates: all there is to do with them."""

from collections.abc import Mapping
from typing import Any

from oslo_db import exception as db_exc

from magnum_lite.api import paging, patch, schema
from magnum_lite.api.controllers.cluster_create import (
    boots_from_disk,
    check_storage,
    choose_driver,
)
from magnum_lite.api.document import NOTHING, Many, Patch
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.api.links import links
from magnum_lite.cloud.things import Image
from magnum_lite.db import store, usage
from magnum_lite.exceptions import Conflict, Invalid, NotFound, Referenced
from magnum_lite.objects import Cluster, ClusterTemplate, Driver

_PUBLISHED = ('public', 'hidden')
_FIXED = (
    'name',
    'coe',
    'image_id',
    'network_driver',
    'external_network_id',
    'tls_disabled',
    'public',
    'server_type',
    'registry_enabled',
    'cluster_distro',
    'hidden',
)
_NETWORK_DRIVERS = ('flannel', 'calico', 'cilium')


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
        request, 'clustertemplates', path, wanted, rows, [_view(request, row) for row in rows]
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
    return _view(request, found)


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
    'POST',
    '/clustertemplates',
    rule='clustertemplate:create',
    status=201,
    takes=ClusterTemplate,
    answers=ClusterTemplate,
    errors=(Conflict, NotFound),
    headers={'Location': 'Where the template is.', **IGNORED_LABELS},
)
def create(request: Request) -> dict[str, Any]:
    """Make a template."""
    given = request.given()
    request.authorize()
    if any(given.get(name) for name in _PUBLISHED):
        request.context.can('clustertemplate:publish')
    if 'uuid' in given and store.normal_uuid(given['uuid']) != given['uuid']:
        raise Invalid(
            path='uuid', reason='a uuid in its usual spelling is expected', value=given['uuid']
        )
    check_storage(given.get('docker_storage_driver'), given.get('docker_volume_size'))
    given['network_driver'] = _network_driver(request, given.get('network_driver'))
    image = _check_cloud(request, given)
    drivers = _drivers(request)
    driver = choose_driver(
        drivers,
        given.get('server_type', 'vm'),
        image and image.os_distro,
        given['coe'],
        given.get('driver'),
        image and image.magnum_driver,
    )
    request.check_labels(given.get('labels', {}), driver)
    template = ClusterTemplate.new(
        **{
            'name': schema.made_up_name('template'),
            **given,
            'driver': driver.name,
            'cluster_distro': image.os_distro if image else given.get('cluster_distro'),
            'project_id': request.context.project_id,
            'user_id': request.context.user_id,
        }
    )
    try:
        request.service.db.write(_add, template, request.service.conf.api.max_templates)
    except db_exc.DBDuplicateEntry:
        raise Conflict(reason=f'Cluster template {template.uuid} exists already') from None
    request.headers['Location'] = f'{request.base}/v1/clustertemplates/{template.uuid}'
    return _view(request, template)


@endpoint(
    'PATCH',
    '/clustertemplates/{template}',
    rule='clustertemplate:update',
    everywhere='clustertemplate:update_all_projects',
    takes=Patch(ClusterTemplate),
    answers=ClusterTemplate,
    headers=IGNORED_LABELS,
)
def update(request: Request, template: str) -> dict[str, Any]:
    """Change a template; one that clusters are made of only in what they do not notice."""
    steps = patch.parse(request.body)
    with request.service.db.read() as connection:
        found = store.get(connection, ClusterTemplate, template, request.scope)
    request.authorize(found)
    changed = patch.changes(ClusterTemplate, found.as_row(), steps, request.version, fixed=_FIXED)
    if changed.keys() & set(_PUBLISHED):
        request.context.can('clustertemplate:publish')
    wanted = {**found.as_row(), **changed}
    if 'network_driver' in changed:
        changed['network_driver'] = _network_driver(request, changed['network_driver'])
    if changed.keys() & {'docker_storage_driver', 'docker_volume_size'}:
        check_storage(wanted['docker_storage_driver'], wanted['docker_volume_size'])
    if changed:
        image = _check_cloud(request, wanted)
        if image and 'image_id' in changed:
            changed['cluster_distro'] = wanted['cluster_distro'] = image.os_distro
        driver = _check_driver(request, wanted, changed)
        if 'coe' in changed and 'driver' not in changed:
            changed['driver'] = driver.name
    return _view(request, request.service.db.write(_change, found, changed))


def _add(connection: Any, template: ClusterTemplate, most: int) -> None:
    usage.check_templates(connection, template.project_id, most=most)
    store.insert(connection, template)


def _change(connection: Any, template: ClusterTemplate, changed: dict[str, Any]) -> ClusterTemplate:
    if changed:
        updated = store.update(connection, ClusterTemplate, changed, uuid=template.uuid)
        if not updated:
            raise NotFound(noun='ClusterTemplate', ident=template.uuid)
        if not _is_harmless(changed) and store.count(
            connection, Cluster, cluster_template_id=template.uuid
        ):
            raise Referenced(template=template.uuid)
    return store.get(connection, ClusterTemplate, template.uuid)


def _is_harmless(changed: Mapping[str, Any]) -> bool:
    """Whether clusters of the template do not notice the change."""
    if len(changed) != 1:
        return False
    ((name, value),) = changed.items()
    return (
        name in ('name', 'hidden')
        or name == 'public'
        and value
        or name == 'tags'
        and value is not None
    )


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


def _view(request: Request, row: Any) -> dict[str, Any]:
    return schema.view(
        ClusterTemplate,
        row,
        request.version,
        links=links(request.base, 'clustertemplates', row.uuid),
    )


def _drivers(request: Request) -> Any:
    with request.service.db.read() as connection:
        return store.rows(connection, Driver, deleted_at=None)


def _network_driver(request: Request, name: str | None) -> str:
    conf = request.service.conf.cluster
    name = name or conf.default_network_driver
    allowed = conf.allowed_network_drivers
    usable = [one for one in _NETWORK_DRIVERS if 'all' in allowed or one in allowed]
    if name not in usable:
        raise Invalid(
            path='network_driver', reason=f'one of {", ".join(usable)} is expected', value=name
        )
    return name


def _check_cloud(request: Request, named: Mapping[str, Any]) -> Image | None:
    from_disk = boots_from_disk(request, named.get('labels') or {})
    with request.lookups() as lookups:
        return lookups.check(named, from_disk=from_disk)


def _check_driver(request: Request, wanted: Mapping[str, Any], changed: Mapping[str, Any]) -> Any:
    """The driver of the changed template; None where nothing changes that it looks at.

    :raises Invalid: there is none, or it does not understand the labels.
    """
    if not changed.keys() & {'coe', 'driver', 'image_id', 'labels', 'server_type'}:
        return None
    named = wanted['driver'] if 'driver' in changed or 'coe' not in changed else None
    driver = choose_driver(
        _drivers(request), wanted['server_type'], wanted['cluster_distro'], wanted['coe'], named
    )
    request.check_labels(wanted['labels'], driver)
    return driver
