"""How much a project may have of each thing; without limits until somebody sets some."""

from magnum_lite_dev.sim_cloud.request import Refusal, Reply

TABLE = 'quotas'
UNLIMITED = -1
# {service: (key of the document, names)}
NAMES = {
    'compute': ('quota_set', ('instances', 'cores', 'ram')),
    'network': (
        'quota',
        ('network', 'subnet', 'port', 'router', 'floatingip', 'security_group'),
    ),
}


def handle(store, request, service) -> Reply:
    """(status, reply) of the quotas of a project, whose id is the path.

    :raises Refusal: 400, a name that the service does not know.
    """
    key, names = NAMES[service]
    row = _row(store, service, request.path[0])
    if request.method == 'PUT':
        given = {name: value for name, value in request.body[key].items() if name != 'force'}
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise Refusal(400, f'no such quota: {", ".join(unknown)}')
        row.update({name: int(value) for name, value in given.items()})
        store.put(TABLE, row)
    elif request.method == 'DELETE':
        store.tables.get(TABLE, {}).pop(row['id'], None)
        return 204, None
    return 200, {key: {name: row[name] for name in names}}


def check_server(store, project, flavor) -> None:
    """Go on when the project may have one more server of a flavor.

    :raises Refusal: 403, as Nova does.
    """
    flavors = store.tables['flavors']
    theirs = [
        flavors.get(server['flavor']['id'], {})
        for server in store.find('servers', tenant_id=project)
        if not server['_deleted_at']
    ]
    row = _row(store, 'compute', project)
    for name, more, used in (
        ('instances', 1, len(theirs)),
        ('cores', flavor['vcpus'], sum(each.get('vcpus', 0) for each in theirs)),
        ('ram', flavor['ram'], sum(each.get('ram', 0) for each in theirs)),
    ):
        if row[name] != UNLIMITED and used + more > row[name]:
            raise Refusal(
                403,
                f'Quota exceeded for {name}: Requested {more}, but already used {used} of '
                f'{row[name]} {name}',
            )


def check_row(store, table, project) -> None:
    """Go on when the project may have one more row of the network API.

    :raises Refusal: 409, as Neutron does.
    """
    name = table.removesuffix('s').replace('-', '_')
    limit = _row(store, 'network', project).get(name, UNLIMITED)
    if limit != UNLIMITED and len(store.find(table, project_id=project)) >= limit:
        raise Refusal(409, f"Quota exceeded for resources: ['{name}'].")


def _row(store, service, project) -> dict[str, int | str]:
    ident = f'{service}/{project}'
    found = store.tables.get(TABLE, {}).get(ident)
    return found or {'id': ident, **dict.fromkeys(NAMES[service][1], UNLIMITED)}
