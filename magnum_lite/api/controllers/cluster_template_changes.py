"""What a cluster template is made with, and changed to."""

from collections.abc import Collection, Mapping
from typing import Any

from oslo_db import exception as db_exc

from magnum_lite.api import new_clusters, patch, schema, views
from magnum_lite.api.document import Patch
from magnum_lite.api.endpoint import IGNORED_LABELS, Request, endpoint
from magnum_lite.cloud.lookups import Lookups, facts
from magnum_lite.cloud.things import Image
from magnum_lite.db import store, usage
from magnum_lite.exceptions import Conflict, Invalid, NotFound, Referenced
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion, labels
from magnum_lite.objects.shape import INHERITED

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
_UNSEEN = {'name', 'tags', 'public', 'hidden'}  # by drivers
# What chooses the driver, and what it has declared to know.
_CHOOSING = {'coe', 'driver', 'image_id', 'labels', 'server_type', 'volume_driver'}
_NETWORK_DRIVERS = ('flannel', 'calico', 'cilium')


@endpoint(
    'POST',
    '/clustertemplates',
    rule='clustertemplate:create',
    status=201,
    takes=ClusterTemplate,
    answers=ClusterTemplate,
    errors=(Conflict, NotFound),
    headers={'Location': 'Where the template is.', **IGNORED_LABELS},
    not_below=True,
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
    schema.check_storage(given.get('docker_storage_driver'), given.get('docker_volume_size'))
    given['network_driver'] = _network_driver(request, given.get('network_driver'))
    image, lookups = _check_cloud(request, given)
    drivers = _drivers(request)
    driver = new_clusters.choose_driver(
        drivers,
        given.get('server_type', 'vm'),
        image.os_distro if image else None,
        given['coe'],
        given.get('driver'),
        image.magnum_driver if image else None,
    )
    _check_known(request, given, driver, given)
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
    _judge(request, template, driver, image, lookups)
    try:
        request.service.db.write(_add, template, request.service.conf.api.max_templates)
    except db_exc.DBDuplicateEntry:
        raise Conflict(reason=f'Cluster template {template.uuid} exists already') from None
    request.headers['Location'] = f'{request.base}/v1/clustertemplates/{template.uuid}'
    return views.cluster_template(request, template)


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
        schema.check_storage(wanted['docker_storage_driver'], wanted['docker_volume_size'])
    if changed:
        image, lookups = _check_cloud(request, wanted)
        if image and 'image_id' in changed:
            changed['cluster_distro'] = wanted['cluster_distro'] = image.os_distro
        driver = _check_driver(request, wanted, changed)
        if 'coe' in changed and 'driver' not in changed:
            changed['driver'] = driver.name
        if changed.keys() - _UNSEEN:
            _judge(
                request,
                ClusterTemplate.new(**{**wanted, **changed}),
                driver or _newest(_drivers(request), wanted['driver']),
                image,
                lookups,
                changed,
            )
    return views.cluster_template(request, request.service.db.write(_change, found, changed))


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


def _drivers(request: Request) -> Any:
    with request.service.db.read() as connection:
        return store.rows(connection, DriverVersion, deleted_at=None)


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


def _check_cloud(request: Request, named: Mapping[str, Any]) -> tuple[Image | None, Lookups]:
    """The image, and the look-ups, which took of the time of the request."""
    with request.lookups() as lookups:
        # Its driver, which may have no such label, is chosen by the image.
        return lookups.check(
            named,
            named.get('labels') or {},
            volume_gib=(
                0
                if named.get('server_type') == 'bm'
                else request.service.conf.cluster.default_boot_volume_size
            ),
        ), lookups


def _judge(
    request: Request,
    template: ClusterTemplate,
    driver: Any,
    image: Image | None,
    lookups: Lookups,
    changed: Collection[str] | None = None,
) -> None:
    """Refuse a template by the least cluster that could be made of it: no workers.

    :raises Invalid: as ``new_clusters.judge_template``.
    """
    if image is None or driver is None:
        return
    cluster = Cluster.new(
        name='any',
        cluster_template_id=template.uuid,
        labels=template.labels,
        project_id=template.project_id,
        driver=driver.name,
        driver_version=driver.version,
        status='CREATE_IN_PROGRESS',
        facts=facts(image),
        **{ours: getattr(template, theirs) for ours, theirs in INHERITED.items()},
    )
    new_clusters.judge_template(
        request,
        template,
        cluster,
        new_clusters.default_groups(cluster, template, 0, 1),
        driver.capabilities,
        lookups,
        changed,
    )


def _newest(drivers: Any, name: str | None) -> Any:
    """The newest enabled version of a driver; None without any."""
    return max(
        (row for row in drivers if row.enabled and row.name == name),
        key=lambda row: row.version,
        default=None,
    )


def _check_driver(request: Request, wanted: Mapping[str, Any], changed: Mapping[str, Any]) -> Any:
    """The driver of the changed template; None where nothing changes that it looks at.

    :raises Invalid: there is none, or it does not understand the labels.
    """
    if not changed.keys() & _CHOOSING:
        return None
    named = wanted['driver'] if 'driver' in changed or 'coe' not in changed else None
    driver = new_clusters.choose_driver(
        _drivers(request), wanted['server_type'], wanted['cluster_distro'], wanted['coe'], named
    )
    _check_known(request, wanted, driver, changed)
    return driver


def _check_known(
    request: Request, wanted: Mapping[str, Any], driver: Any, fresh: Mapping[str, Any]
) -> None:
    new_clusters.check_attributes(driver, fresh)
    # What a template does not say its clusters may.
    given = wanted.get('labels') or {}
    request.check_labels(
        given, driver, {name: value for name, value in wanted.items() if value is not None}
    )
    labels.node_limits(given)
