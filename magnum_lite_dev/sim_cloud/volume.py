"""Block storage: volumes, their types, snapshots and backups as plain tables."""

from magnum_lite_dev.sim_cloud.request import Refusal, Reply, now

TABLES = ('volumes', 'types', 'extensions', 'snapshots', 'backups', 'limits')
SINGULAR = {'types': 'volume_type'}
PLURAL = {'types': 'volume_types'}


def handle(cloud, request) -> Reply:
    """(status, reply) of the block-storage API, with or without the project in the path.

    :raises Refusal: 400, the volume is attached; 404.
    """
    if len(request.path) < 2:
        version = {
            'id': 'v3.0',
            'status': 'CURRENT',
            'version': '3.71',
            'min_version': '3.0',
            'updated': now(),
            'links': [{'rel': 'self', 'href': f'{request.base}/v3/'}],
        }
        return 200 if request.path else 300, {'versions': [version]}
    path = request.path[1:] if request.path[1] in TABLES else request.path[2:]
    table, row_id = path[0], path[1] if len(path) > 1 and path[1] != 'detail' else None
    one = SINGULAR.get(table, table[:-1])
    if row_id:
        return _one(cloud, request, table, row_id, len(path) > 2)
    if request.method == 'POST':
        return 202, {
            one: cloud.store.put(
                table,
                {
                    'name': None,
                    'metadata': {},
                    'description': None,
                    **request.body[one],
                    'status': 'available',
                    'attachments': [],
                    'created_at': now(),
                    'bootable': 'false',
                    'encrypted': False,
                    'multiattach': False,
                    'availability_zone': 'nova',
                    'user_id': request.user,
                    'links': [],
                },
            )
        }
    rows = [] if request.is_page_after_the_last else cloud.store.rows(table)
    return 200, {PLURAL.get(table, table): rows}


def _one(cloud, request, table, row_id, is_action) -> Reply:
    store = cloud.store
    row = store.get(table, row_id)
    if is_action:
        if 'os-extend' in request.body:
            row['size'] = request.body['os-extend']['new_size']
        return 202, None
    if request.method == 'DELETE':
        if row.get('status') == 'in-use':
            raise Refusal(400, 'Volume status must be available')
        store.drop(table, row_id)
        if table == 'volumes' and cloud.nodes.fleet:
            cloud.nodes.fleet.remove_volume(row_id)
        return 202, None
    one = SINGULAR.get(table, table[:-1])
    if request.method == 'PUT':
        row.update(request.body[one])
    return 200, {one: row}
