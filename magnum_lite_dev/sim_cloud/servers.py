"""A server's life: it is booted, looks this or that way as time passes, and goes with its ports."""

import base64
import binascii
import time
from typing import Any

from magnum_lite_dev.sim_cloud import hosts, key_pairs, quotas, seed, topology
from magnum_lite_dev.sim_cloud.request import Refusal, new_id, now
from magnum_lite_dev.sim_cloud.store import Row

NO_HOST = 'No valid host was found. There are not enough hosts available.'
# Nova's limit for the base64 text.
USER_DATA_BYTES = 65535
METADATA_TEXT = 255


def boot(cloud, spec, request) -> Row:
    """The row of a new server; its node starts when it becomes ACTIVE.

    :param spec: the ``server`` of Nova's request body.
    :raises Refusal: 400, the user data is too long or no base64; 404, no such flavor, image,
        port or network; 409, the port is in use.
    """
    store = cloud.store
    flavor = _check(store, spec, request)
    shown = _shown(spec, request, flavor)
    fault = store.faults.take(spec['name'], 'no_valid_host', 'boot_error', 'slow')
    slow = bool(fault and fault['kind'] == 'slow')
    row = {
        **shown,
        '_ports': [],
        '_status': 'ACTIVE',
        '_deleted_at': None,
        '_is_up': False,
        '_has_node': False,
        '_waits_for_node': False,
        '_task': None,
        '_active_at': time.time() + (fault['seconds'] if slow else cloud.build_seconds),
        '_fault': None if slow else _server_fault(fault),
    }
    row['_boots_image'], row['_disk_gib'] = _root(store, spec, flavor)
    hosts.place(store, row, request.body)
    for nic in _networks(spec):
        attach(
            store,
            row,
            request.project,
            port_id=nic.get('port'),
            network_id=nic.get('uuid'),
            address=nic.get('fixed_ip'),
        )
    store.put('servers', row)
    if row['_fault']:  # Nova unbinds the ports of a server that it could not build
        while row['_ports']:
            release(store, row['_ports'].pop())
    else:
        cloud.nodes.start(row)
    return row


def _check(store, spec, request) -> Row:
    """The flavor of a new server that may be made."""
    given = {}
    for table, ident, said in (
        ('flavors', str(spec['flavorRef']), 'Flavor {} could not be found.'),
        ('images', spec.get('imageRef'), 'Can not find requested image'),
        ('os-keypairs', _key_pair(store, spec, request), 'Invalid key_name provided.'),
        *(
            ('networks', nic.get('uuid'), 'Network {} could not be found.')
            for nic in _networks(spec)
        ),
    ):
        given[table] = ident and store.tables.get(table, {}).get(ident)
        if ident and given[table] is None:
            raise Refusal(400, said.format(ident))
    if (spec.get('availability_zone') or seed.ZONES[0]) not in seed.ZONES:
        raise Refusal(400, 'The requested availability zone is not available')
    if any(len(text) > METADATA_TEXT for text in (spec.get('metadata') or {}).values()):
        raise Refusal(400, 'Invalid input for field/attribute metadata: it is too long')
    quotas.check_server(store, request.project, given['flavors'])
    return given['flavors']


def _key_pair(store, spec, request) -> str | None:
    name = spec.get('key_name')
    return name and key_pairs.find(store, name, request.user)


def _networks(spec) -> list[Row]:
    """The networks of a request that names some, and not ``auto`` or ``none``."""
    networks = spec.get('networks') or []
    return networks if isinstance(networks, list) else []


def _root(store, spec, flavor) -> tuple[str | None, int]:
    """(id of the image that a server boots, GiB of its disk): from a flavor or from a volume."""
    for device in spec.get('block_device_mapping_v2') or ():
        if str(device.get('boot_index')) == '0' and device.get('source_type') == 'image':
            return device['uuid'], int(device.get('volume_size') or flavor['disk'])
        if str(device.get('boot_index')) == '0' and device.get('source_type') == 'volume':
            volume = store.get('volumes', device['uuid'])
            return volume.get('imageRef'), int(volume['size'])
    return spec.get('imageRef') or None, flavor['disk']


def _shown(spec, request, flavor) -> Row:
    """What Nova shows of a server from the request, and its user data."""
    return {
        'id': new_id(),
        'name': spec['name'],
        'tenant_id': request.project,
        'user_id': request.user,
        'metadata': spec.get('metadata') or {},
        'key_name': spec.get('key_name'),
        'created': now(),
        'updated': now(),
        'flavor': {'id': flavor['id'], 'original_name': flavor['name'], 'links': []},
        'image': {'id': spec['imageRef'], 'links': []} if spec.get('imageRef') else '',
        'accessIPv4': '',
        'accessIPv6': '',
        'links': [],
        'config_drive': '',
        'tags': [],
        'OS-EXT-SRV-ATTR:instance_name': 'instance-sim',
        'OS-EXT-AZ:availability_zone': spec.get('availability_zone') or 'nova',
        'security_groups': spec.get('security_groups', [{'name': 'default'}]),
        '_user_data': _user_data(spec),
    }


def _user_data(spec) -> str:
    text = spec.get('user_data') or ''
    if len(text) > USER_DATA_BYTES:
        raise Refusal(
            400,
            f'Invalid input for field/attribute user_data: {len(text)} bytes are more than '
            f'{USER_DATA_BYTES}',
        )
    try:
        # Compressed user data is no text: surrogates keep its bytes through JSON.
        return base64.b64decode(text).decode('utf-8', 'surrogateescape')
    except binascii.Error as error:
        raise Refusal(400, 'user_data is not base64') from error


def _server_fault(fault) -> dict[str, Any] | None:
    if fault is None:
        return None
    message = (
        NO_HOST
        if fault['kind'] == 'no_valid_host'
        else fault.get('message', 'Build of instance aborted: simulated')
    )
    return {'code': 500, 'created': now(), 'message': message}


def attach(store, row, project, *, port_id=None, network_id=None, address=None) -> Row:
    """The port that the server now has: the given one, or a new one in the network.

    :raises Refusal: 404; 409, another server has the port.
    """
    if port_id:
        port = store.get('ports', port_id)
        if port['device_id'] not in ('', row['id']):
            raise Refusal(409, f'Port {port_id} is still in use.')
    else:
        port = topology.create(
            store,
            'ports',
            {
                'network_id': network_id,
                '_belongs_to_server': True,
                **_security_groups(store, row),
                'fixed_ips': [{'ip_address': address}] if address else [],
            },
            project,
        )
    port.update(device_id=row['id'], device_owner='compute:nova')
    row['_ports'].append(port['id'])
    return port


def _security_groups(store, row) -> dict[str, list[str]]:
    """The groups of a port that is made for a server; {} leaves it to the default of Neutron."""
    wanted = {group['name'] for group in row['security_groups']}  # names, or ids
    found = [
        group['id']
        for group in store.rows('security-groups')
        if wanted & {group['id'], group['name']}
    ]
    return {} if not found and 'default' in wanted else {'security_groups': found}


def release(store, port_id) -> None:
    """Take a server's port away: one made for it goes, one that was given stays."""
    port = store.tables.get('ports', {}).get(port_id)
    if port and port.get('_belongs_to_server'):
        topology.delete(store, 'ports', port)
    elif port:
        port.update(device_id='', device_owner='')


def view(store, row) -> Row | None:
    """The server as the API shows it at this moment; None, and cleaned up, once it is deleted."""
    moment = time.time()
    if row['_deleted_at'] and moment >= row['_deleted_at'] and not row.get('_has_node'):
        _clean_up(store, row)
        return None
    status, task = row['_status'], row.get('_task')
    if row['_deleted_at']:
        task = 'deleting'
    elif row['_fault']:
        status = 'ERROR'
    elif moment < row['_active_at'] or row.get('_waits_for_node'):
        status, task = 'BUILD', 'spawning'
    shown = {key: value for key, value in row.items() if not key.startswith('_')}
    shown.update(
        {
            'status': status,
            'progress': 100,
            'OS-EXT-STS:task_state': task,
            'OS-EXT-STS:power_state': 1,
            'OS-EXT-STS:vm_state': status.lower(),
            'addresses': {} if status == 'BUILD' else addresses(store, row),
            'os-extended-volumes:volumes_attached': [],
        }
    )
    if status == 'ERROR':
        shown['fault'] = row['_fault']
    return shown


def _clean_up(store, row) -> None:
    for port_id in row['_ports']:
        release(store, port_id)
    for volume in store.rows('volumes'):
        if any(each['server_id'] == row['id'] for each in volume['attachments']):
            volume.update(status='available', attachments=[])
    hosts.leave(store, row)
    store.tables['servers'].pop(row['id'], None)


def addresses(store, row) -> dict[str, list[dict[str, Any]]]:
    """{network name: Nova's descriptions of the server's addresses there}."""
    found = {}
    for port_id in row['_ports']:
        port = store.tables['ports'].get(port_id)
        if not port:
            continue
        here = found.setdefault(store.get('networks', port['network_id'])['name'], [])
        pairs = [(ip['ip_address'], 'fixed') for ip in port['fixed_ips']]
        pairs += [
            (each['floating_ip_address'], 'floating')
            for each in store.find('floatingips', port_id=port_id)
        ]
        here += [
            {
                'addr': address,
                'version': 4,
                'OS-EXT-IPS:type': kind,
                'OS-EXT-IPS-MAC:mac_addr': port['mac_address'],
            }
            for address, kind in pairs
        ]
    return found
