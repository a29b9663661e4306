"""The network API: collections of rows, and the actions below one row."""

from magnum_lite_dev.sim_cloud import quotas, reach, topology
from magnum_lite_dev.sim_cloud.request import Refusal, Reply, now
from magnum_lite_dev.sim_cloud.store import Row

EXTENSIONS = (
    'router',
    'security-group',
    'external-net',
    'quotas',
    'binding',
    'port-security',
    'allowed-address-pairs',
    'standard-attr-tag',
    'dns-integration',
    'qos',
    'address-scope',
    'subnet_allocation',
    'stateful-security-group',
    'net-mtu',
    'trunk',
    'extra_dhcp_opt',
)
SINGULAR = {'policies': 'policy', 'l7policies': 'l7policy'}
NO_FILTER = frozenset(
    {'fields', 'limit', 'marker', 'sort_key', 'sort_dir', 'page_reverse', 'project_id', 'tenant_id'}
)


def singular(plural) -> str:
    """The key of one row of a collection: ``security-groups`` gives ``security_group``."""
    return SINGULAR.get(plural, plural[:-1]).replace('-', '_')


def handle(cloud, request) -> Reply:
    """(status, reply) of the network API.

    :raises Refusal: what Neutron would refuse.
    """
    path = request.path
    if not path:
        return 200, {
            'versions': [
                {
                    'id': 'v2.0',
                    'status': 'CURRENT',
                    'links': [{'rel': 'self', 'href': f'{request.base}/v2.0/'}],
                }
            ]
        }
    request = request.below()
    table, *rest = [part.removesuffix('.json') for part in request.path] or ['']
    if not table:
        return 200, {'resources': []}
    if table == 'extensions':
        return 200, {
            'extensions': [
                {'alias': name, 'name': name, 'links': [], 'description': '', 'updated': now()}
                for name in EXTENSIONS
            ]
        }
    if table == 'quotas' and rest:
        return quotas.handle(cloud.store, request.below(), 'network')
    if len(rest) == 2:
        return _action(cloud.store, request, table, *rest)
    if rest:
        return _one(cloud.store, request, table, rest[0])
    return _collection(cloud.store, request, table)


def _collection(store, request, table) -> Reply:
    one, many = singular(table), table.replace('-', '_')
    if request.method == 'POST':
        if many in request.body:
            return 201, {
                many: [
                    topology.create(store, table, row, request.project)
                    for row in request.body[many]
                ]
            }
        return 201, {one: topology.create(store, table, request.body[one], request.project)}
    wanted = {key: text for key, text in request.query.items() if key not in NO_FILTER}
    return 200, {many: [row for row in store.rows(table) if matches(row, wanted)]}


def _one(store, request, table, row_id) -> Reply:
    row = store.get(table, row_id)
    if request.method == 'DELETE':
        topology.delete(store, table, row)
        return 204, None
    if request.method == 'PUT':
        if table == 'routers' and 'external_gateway_info' in request.body['router']:
            reach.check_gateway(store, row, request.body['router']['external_gateway_info'])
        row.update(
            request.body[singular(table)],
            updated_at=now(),
            revision_number=row.get('revision_number', 0) + 1,
        )
        if 'security_groups' in request.body[singular(table)]:
            row['_takes_default_group'] = False
        topology.settle(store, table, row)
    return 200, {singular(table): row}


def matches(row, wanted) -> bool:
    """Whether the row has the values of ``wanted``, which come from a query string as text."""
    for key, text in wanted.items():
        value = row.get(key)
        if value != (text.lower() == 'true' if isinstance(value, bool) else text):
            return False
    return True


def _action(store, request, table, row_id, name) -> Reply:
    row = store.get(table, row_id)
    if name == 'tags':
        if request.method == 'PUT':
            row['tags'] = request.body['tags']
        return 200, {'tags': row['tags']}
    if name == 'add_router_interface':
        return 200, _add_interface(store, row_id, request)
    if name == 'remove_router_interface':
        return 200, _remove_interface(store, row_id, request.body)
    if name in ('l3-agents', 'dhcp-agents'):
        return 200, {'agents': []}
    raise request.unknown()


def _add_interface(store, router_id, request) -> Row:
    if 'port_id' in request.body:
        port = store.get('ports', request.body['port_id'])
        port.update(device_id=router_id, device_owner='network:router_interface')
    else:
        subnet = store.get('subnets', request.body['subnet_id'])
        reach.check_interface(store, router_id, subnet)
        port = topology.create(
            store,
            'ports',
            {
                'network_id': subnet['network_id'],
                'device_id': router_id,
                'device_owner': 'network:router_interface',
                'fixed_ips': [{'subnet_id': subnet['id'], 'ip_address': subnet['gateway_ip']}],
            },
            request.project,
        )
    return {'id': router_id, 'port_id': port['id'], 'subnet_id': port['fixed_ips'][0]['subnet_id']}


def _remove_interface(store, router_id, wanted) -> Row:
    for port in store.find('ports', device_id=router_id):
        subnets = [ip['subnet_id'] for ip in port['fixed_ips']]
        if port['id'] == wanted.get('port_id') or wanted.get('subnet_id') in subnets:
            reach.check_interface_goes(store, router_id, subnets[0])
            store.drop('ports', port['id'])
            return {'id': router_id, 'port_id': port['id']}
    raise Refusal(404, f'Router {router_id} has no such interface')
