"""The API of servers: what is asked of one server, in the words of Nova."""

import re
import time
from typing import Any

from magnum_lite_dev.sim_cloud import attachments, power, servers
from magnum_lite_dev.sim_cloud.request import Refusal, Reply
from magnum_lite_dev.sim_cloud.store import Row

# What the status becomes after an action; any other action changes nothing.
ACTIONS = {
    'confirmResize': 'ACTIVE',
    'os-stop': 'SHUTOFF',
    'os-start': 'ACTIVE',
    'suspend': 'SUSPENDED',
    'resume': 'ACTIVE',
    'unpause': 'ACTIVE',
}


def handle(cloud, request) -> Reply:
    """(status, reply) of ``/servers…``; the path begins after that word.

    :raises Refusal: what Nova would refuse.
    """
    store = cloud.store
    if request.method == 'POST' and not request.path:
        row = servers.boot(cloud, request.body['server'], request)
        return 202, {
            'server': {
                'id': row['id'],
                'adminPass': 'sim',
                'links': [],
                'OS-DCF:diskConfig': 'MANUAL',
                'security_groups': row['security_groups'],
            }
        }
    if request.path in ((), ('detail',)):
        return 200, {'servers': _list(store, request)}
    row = store.get('servers', request.path[0])
    shown = servers.view(store, row)
    if shown is None:
        raise Refusal(404, f'Instance {request.path[0]} could not be found.')
    if len(request.path) == 1:
        return _one(cloud, request, row, shown)
    if request.path[1:] == ('action',) and row.get('_has_node'):
        reply = power.act(cloud.nodes.fleet, request, row)
        if reply:
            return reply
    if request.path[1] == 'os-volume_attachments':
        return attachments.handle(cloud, request.below(2), row)
    answer = _BELOW.get(request.path[1])
    if answer is None:
        raise request.unknown()
    return answer(store, request.below(2), row)


def _list(store, request) -> list[Row]:
    if request.is_page_after_the_last:
        return []
    shown = [servers.view(store, row) for row in store.rows('servers')]
    name = request.query.get('name', '')
    return [row for row in shown if row and re.search(name, row['name'])]


def _one(cloud, request, row, shown) -> Reply:
    if request.method == 'DELETE':
        row['_deleted_at'] = time.time() + cloud.delete_seconds
        cloud.nodes.stop(row)
        servers.view(cloud.store, row)
        return 204, None
    if request.method == 'PUT':
        row.update(request.body['server'])
        shown = servers.view(cloud.store, row)
    return 200, {'server': shown}


def _interfaces(store, request, row) -> Reply:
    if request.method == 'POST':
        wanted = request.body.get('interfaceAttachment', {})
        port = servers.attach(
            store,
            row,
            request.project,
            port_id=wanted.get('port_id'),
            network_id=wanted.get('net_id'),
        )
        return 200, {'interfaceAttachment': _interface(port)}
    if request.method == 'DELETE':
        if request.path[0] not in row['_ports']:
            raise Refusal(404, f'Port {request.path[0]} is not attached')
        row['_ports'].remove(request.path[0])
        servers.release(store, request.path[0])
        return 202, None
    ports = store.tables.get('ports', {})
    return 200, {
        'interfaceAttachments': [
            _interface(ports[port_id]) for port_id in row['_ports'] if port_id in ports
        ]
    }


def _interface(port) -> dict[str, Any]:
    return {
        'port_id': port['id'],
        'net_id': port['network_id'],
        'port_state': 'ACTIVE',
        'mac_addr': port['mac_address'],
        'fixed_ips': port['fixed_ips'],
    }


def _metadata(store, request, row) -> Reply:
    if request.method == 'DELETE':
        row['metadata'].pop(request.path[0], None)
        return 204, None
    row['metadata'].update(request.body.get('metadata', {}))
    return 200, {'metadata': row['metadata']}


def _tags(store, request, row) -> Reply:
    if request.method == 'PUT':
        row['tags'] = request.body['tags']
    return 200, {'tags': row['tags']}


def _password(store, request, row) -> Reply:
    return 200, {'password': row.get('_password', '')}


def _action(store, request, row) -> Reply:
    name, given = next(iter(request.body.items()))
    if name == 'resize':
        row['flavor'] = dict(row['flavor'], id=str(given['flavorRef']))
        row['_status'] = 'VERIFY_RESIZE'
    elif name == 'os-getConsoleOutput':
        return 200, {'output': ''}
    elif name == 'rebuild':
        row['image'] = {'id': given['imageRef'], 'links': []}
        return 202, {'server': dict(servers.view(store, row), adminPass='sim')}  # noqa: S106
    else:
        row['_status'] = ACTIONS.get(name, row['_status'])
    return 202, None


_BELOW = {
    'os-interface': _interfaces,
    'metadata': _metadata,
    'tags': _tags,
    'action': _action,
    'os-server-password': _password,
}
