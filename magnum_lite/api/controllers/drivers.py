"""Drivers: list and show."""

from typing import Any

from magnum_lite.api import paging, schema
from magnum_lite.api.document import Many
from magnum_lite.api.endpoint import Request, endpoint
from magnum_lite.api.links import links
from magnum_lite.db import store
from magnum_lite.exceptions import NotFound
from magnum_lite.objects import Cluster, DriverVersion


@endpoint(
    'GET',
    '/drivers',
    rule='driver:get_all',
    everywhere='context_is_admin',
    query=paging.ARGUMENTS,
    answers=Many(DriverVersion),
)
def list_drivers(request: Request) -> dict[str, Any]:
    """One page of all versions of all drivers."""
    request.authorize()
    wanted = paging.page(request, DriverVersion)
    with request.service.db.read() as connection:
        rows = store.page(connection, DriverVersion, wanted, store.ALL, deleted_at=None)
        counts = store.count_by(
            connection, Cluster, 'driver', 'driver_version', scope=request.scope
        )
    items = [_view(request, row, counts.get((row.name, row.version), 0)) for row in rows]
    return paging.document(request, 'drivers', 'drivers', wanted, rows, items)


@endpoint(
    'GET',
    '/drivers/{driver}',
    rule='driver:get',
    everywhere='context_is_admin',
    answers=DriverVersion,
)
def show(request: Request, driver: str) -> dict[str, Any]:
    """One version by its uuid, or the newest of a name."""
    request.authorize()
    uuid = store.normal_uuid(driver)
    with request.service.db.read() as connection:
        where = {'uuid': uuid} if uuid else {'name': driver}
        # MariaDB takes no notice of spaces at the end of a name.
        found = [
            row
            for row in store.rows(connection, DriverVersion, deleted_at=None, **where)
            if uuid or row.name == driver
        ]
        if not found:
            raise NotFound(noun='Driver', ident=driver)
        siblings = store.rows(connection, DriverVersion, deleted_at=None, name=found[0].name)
        newest = max(siblings, key=lambda row: row.version)
        row = found[0] if uuid else newest
        count = store.count(
            connection, Cluster, request.scope, driver=row.name, driver_version=row.version
        )
    return _view(request, row, count, latest_version=newest.uuid)


def _view(request: Request, row: Any, count: int, **computed: Any) -> dict[str, Any]:
    return schema.view(
        DriverVersion,
        row,
        request.version,
        cluster_count=count,
        **computed,
        links=links(request.base, 'drivers', row.uuid),
    )
