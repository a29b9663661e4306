"""The metadata service: what Nova and Neutron tell a server about itself, by its address."""

import base64
import http.server
import json
import logging
import secrets
import threading
from typing import Any

from magnum_lite_dev.nodes import namespace, plan
from magnum_lite_dev.nodes.dhcp import DOMAIN, METADATA

LOG = logging.getLogger(__name__)
VERSIONS = ('2012-08-10', '2015-10-15', '2016-06-30', '2017-02-22', '2018-08-27', '2020-10-14')
EC2_VERSIONS = ('2009-04-04', 'latest')
PORT = 80
PASSWORD_BYTES = 255 * 4  # Nova keeps it in four columns


def documents(tables, row) -> dict[str, Any]:
    """What one server may read: texts, or bytes, below ``/openstack/VERSION`` and ``/latest``."""
    ports = [tables['ports'][port] for port in row['_ports'] if port in tables['ports']]
    user_data = row['_user_data'].encode('utf-8', 'surrogateescape')
    openstack = {
        'meta_data.json': json.dumps(_meta_data(tables, row)),
        'network_data.json': json.dumps(_network_data(tables, ports)),
        'vendor_data.json': '{}',
        'vendor_data2.json': '{}',
    }
    ec2 = _ec2(row, ports, tables)
    latest = {'meta-data': ec2}
    if user_data:
        openstack['user_data'] = user_data
        latest['user-data'] = user_data
    return {'openstack': openstack, 'ec2': latest}


def _host_name(row) -> str:
    return f'{plan.host_name(row["name"])}.{DOMAIN}'


def _key(tables, row) -> tuple[str, str] | None:
    for each in tables.get('os-keypairs', {}).values():
        if row['key_name'] == each['name'] and each['_user'] in (row['user_id'], '*'):
            return each['name'], each['public_key']
    return None


def _meta_data(tables, row) -> dict[str, Any]:
    key = _key(tables, row)
    return {
        'uuid': row['id'],
        'name': row['name'],
        'hostname': _host_name(row),
        'launch_index': 0,
        'availability_zone': row['OS-EXT-AZ:availability_zone'],
        'project_id': row['tenant_id'],
        'meta': row['metadata'],
        'devices': [],
        'random_seed': base64.b64encode(secrets.token_bytes(512)).decode(),
        **(
            {
                'public_keys': {key[0]: key[1]},
                'keys': [{'name': key[0], 'type': 'ssh', 'data': key[1]}],
            }
            if key
            else {}
        ),
    }


def _network_data(tables, ports) -> dict[str, Any]:
    return {
        'links': [
            {
                'id': f'tap{port["id"][:11]}',
                'vif_id': port['id'],
                'type': 'ovs',
                'mtu': tables['networks'][port['network_id']]['mtu'],
                'ethernet_mac_address': port['mac_address'],
            }
            for port in ports
        ],
        'networks': [
            {
                'id': f'network{number}',
                'link': f'tap{port["id"][:11]}',
                'type': 'ipv4_dhcp',
                'network_id': port['network_id'],
            }
            for number, port in enumerate(ports)
        ],
        'services': [],
    }


def _ec2(row, ports, tables) -> dict[str, Any]:
    fixed = [ip['ip_address'] for port in ports for ip in port['fixed_ips']]
    floating = [
        each['floating_ip_address']
        for each in tables.get('floatingips', {}).values()
        if each['port_id'] in row['_ports']
    ]
    key = _key(tables, row)
    return {
        'ami-id': 'ami-00000001',
        'ami-launch-index': '0',
        'hostname': _host_name(row),
        'instance-action': 'none',
        'instance-id': f'i-{row["id"][:8]}',
        'instance-type': row['flavor']['original_name'],
        'local-hostname': _host_name(row),
        'local-ipv4': fixed[0] if fixed else '',
        'placement': {'availability-zone': row['OS-EXT-AZ:availability_zone']},
        'public-hostname': _host_name(row),
        'public-ipv4': floating[0] if floating else '',
        'reservation-id': f'r-{row["id"][:8]}',
        **({'public-keys': {'0': {'openssh-key': key[1]}}} if key else {}),
    }


def look_up(told, path) -> bytes | None:
    """What a server is told of a path; None where there is nothing.

    :param told: see :func:`documents`.
    """
    head, *rest = [part for part in path.partition('?')[0].split('/') if part] or ['']
    if head == 'openstack':
        if not rest:
            return '\n'.join((*VERSIONS, 'latest')).encode()
        return _walk(told['openstack'], rest[1:])
    if not head:
        return '\n'.join(EC2_VERSIONS).encode()
    return _walk(told['ec2'], rest) if head in EC2_VERSIONS else None


def _walk(tree, parts) -> bytes | None:
    for part in parts:
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    if isinstance(tree, dict):
        return '\n'.join(
            f'{name}/' if isinstance(sub, dict) else name for name, sub in tree.items()
        ).encode()
    return tree if isinstance(tree, bytes) else tree.encode()


class MetadataServer:
    """Answers at 169.254.169.254 of one network.

    :param namespace_name: that has the address.
    :param describe: ``describe(address)`` gives (documents, server row) of who has the address,
        ``None`` if nobody does.
    """

    def __init__(self, namespace_name, describe) -> None:
        handler = type('Handler', (_Handler,), {'describe': staticmethod(describe)})
        self._server = namespace.within(namespace_name, lambda: _Server((METADATA, PORT), handler))
        threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name='metadata', daemon=True
        ).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'nova'
    timeout = 60

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        """Documents; the password of the server is one that it has posted itself."""
        found = self.describe(self.client_address[0])
        if found is None:
            return self._answer(404)
        told, row = found
        if self._asks_for_password():
            return self._answer(200, row.get('_password', '').encode())
        body = look_up(told, self.path)
        return self._answer(404) if body is None else self._answer(200, body)

    def do_POST(self) -> None:  # noqa: N802
        """The password, which is taken once."""
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        found = self.describe(self.client_address[0])
        if found is None or not self._asks_for_password():
            return self._answer(404)
        if found[1].get('_password'):
            return self._answer(409)
        if len(body) > PASSWORD_BYTES:
            return self._answer(400)
        found[1]['_password'] = body.decode('utf-8', 'replace')
        return self._answer(200)

    def _asks_for_password(self) -> bool:
        parts = self.path.strip('/').split('/')
        return parts[0] == 'openstack' and parts[2:] == ['password']

    def _answer(self, status, body=b'') -> None:
        self.send_response(status)
        self.send_header('Content-Type', 'text/plain; charset=UTF-8')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values) -> None:
        """Requests go to the log of the cloud."""
        LOG.debug('%s: ' + text, self.client_address[0], *values)
