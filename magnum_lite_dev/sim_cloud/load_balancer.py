"""Load balancers and what hangs below them: listeners, pools, members, monitors, policies."""

from magnum_lite_dev.sim_cloud import network, topology
from magnum_lite_dev.sim_cloud.request import Reply, now
from magnum_lite_dev.sim_cloud.store import Row

CHILDREN = ('members', 'rules')


def handle(cloud, request) -> Reply:
    """(status, reply) of the load-balancer API.

    :raises Refusal: 404, no such row.
    """
    path = [part for part in request.path if part not in ('v2', 'v2.0', 'lbaas')]
    if not path:
        return 200, {
            'versions': [
                {
                    'id': 'v2.27',
                    'status': 'CURRENT',
                    'links': [{'rel': 'self', 'href': f'{request.base}/v2.0'}],
                }
            ]
        }
    parent = None
    if len(path) > 2 and path[2] in CHILDREN:
        parent, path = path[1], path[2:]
    # What may follow an id (status, stats) answers with the row itself.
    table, row_id = path[0], path[1] if len(path) > 1 else None
    if row_id:
        return _one(cloud.store, request, table, row_id)
    if request.method == 'POST':
        return 201, {network.singular(table): _create(cloud.store, request, table, parent)}
    return 200, {
        table: [
            row
            for row in cloud.store.rows(table)
            if network.matches(row, request.query) and (parent is None or row['_parent'] == parent)
        ]
    }


def _one(store, request, table, row_id) -> Reply:
    row = store.get(table, row_id)
    if request.method == 'DELETE':
        store.drop(table, row_id)
        for port in store.find('ports', device_id=f'lb-{row_id}'):
            store.drop('ports', port['id'])
        return 204, None
    if request.method == 'PUT':
        row.update(request.body.get(network.singular(table), {}))
    return 200, {network.singular(table): row}


def _create(store, request, table, parent) -> Row:
    row = store.put(
        table,
        dict(
            request.body[network.singular(table)],
            project_id=request.project,
            created_at=now(),
            provisioning_status='ACTIVE',
            operating_status='ONLINE',
            _parent=parent,
        ),
    )
    if table == 'loadbalancers':
        subnet_id = row.get('vip_subnet_id')
        network_id = row.get('vip_network_id') or store.get('subnets', subnet_id)['network_id']
        port = topology.create(
            store,
            'ports',
            {
                'network_id': network_id,
                'device_owner': 'Octavia',
                'device_id': f'lb-{row["id"]}',
                'fixed_ips': [{'subnet_id': subnet_id}] if subnet_id else [],
            },
            request.project,
        )
        row.update(
            vip_port_id=port['id'],
            vip_network_id=network_id,
            listeners=[],
            pools=[],
            vip_address=port['fixed_ips'][0]['ip_address'],
            provider='sim',
        )
    return row
