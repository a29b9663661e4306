"""A manager's API as drivers use it: real TLS with real certificates, before a swarm in memory."""

import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite.driver_sdk import Secret


class Authority:
    """A certificate authority, and what it signs."""

    def __init__(self, name='docker'):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.name, self.key.public_key(), ca=True)

    def _sign(self, subject, key, *, ca=False, days=1):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]),
                critical=False,
            )
        )
        return builder.sign(self.key, hashes.SHA256())

    def server(self, path, *, days=1):
        """Write key and certificate of a server at 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'manager')])
        path.write_bytes(pem(self._sign(name, key.public_key(), days=days)) + key_pem(key))

    @property
    def secrets(self):
        """As a spec has them."""
        found = {
            'cert': pem(self.certificate),
            'trusted': pem(self.certificate),
            'key': key_pem(self.key),
        }
        return {
            f'ca.docker.{part}': Secret(f'ref/{part}', text.decode())
            for part, text in found.items()
        }


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def node(name, *, role='worker', state='ready', availability='active', server=None):
    """A node as the API lists it."""
    labels = {} if server == '' else {'magnum-lite.server': server or f'server-of-{name}'}
    return {
        'ID': f'id-{name}',
        'Version': {'Index': 1},
        'Spec': {'Role': role, 'Availability': availability, 'Labels': {}},
        'Status': {'State': state},
        'Description': {'Hostname': name, 'Engine': {'Labels': labels}},
    } | (
        {'ManagerStatus': {'Reachability': 'reachable' if state == 'ready' else 'unreachable'}}
        if role == 'manager'
        else {}
    )


class Managers:
    """Managers that answer at ``url``.

    :ivar nodes: rows by id.
    :ivar tasks: ids of nodes, each with how many looks tasks still run there once it drains.
    :ivar running: ids of nodes, each with how many tasks are to run there.
    :ivar refusal: (status, message) that everything is answered with, or None.
    :ivar asked: methods and paths, in order.
    :ivar services: (tasks that run, tasks that are wanted) of each service.
    :ivar swarm: what managers tell of it; it gets a new authority when it is asked for one.
    :ivar speaker: id of the server that answers, or None for no matter which manager.
    """

    def __init__(self, folder, authority, *, days=1):
        self.nodes, self.tasks, self.refusal, self.asked = {}, {}, None, []
        self.running = {}
        self.speaker, self.services = None, []
        self.swarm = {
            'Version': {'Index': 1},
            'Spec': {'Name': 'default', 'CAConfig': {'NodeCertExpiry': 1}},
        }
        authority.server(folder / 'server.pem', days=days)
        (folder / 'ca.pem').write_bytes(pem(authority.certificate))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / 'ca.pem')
        context.load_cert_chain(folder / 'server.pem')
        context.verify_mode = ssl.CERT_REQUIRED
        handler = type('Handler', (_Handler,), {'managers': self})
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f'tcp://127.0.0.1:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, *rows):
        self.nodes |= {row['ID']: row for row in rows}

    def servers(self, role):
        """Ids of the servers of nodes of a role that take part."""
        return {
            row['Description']['Engine']['Labels']['magnum-lite.server']
            for row in self.nodes.values()
            if row['Spec']['Role'] == role and row['Status']['State'] == 'ready'
        }

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, body):
        """(status, document)."""
        self.asked.append(f'{method} {path}')
        if self.refusal:
            return self.refusal[0], {'message': self.refusal[1]}
        url = urlsplit(path)
        parts = url.path.strip('/').split('/')
        is_manager = self.speaker is None or self.speaker in self.servers('manager')
        if parts == ['info']:
            swarm = {'LocalNodeState': 'active', 'ControlAvailable': is_manager}
            return 200, {'Labels': [f'magnum-lite.server={self.speaker}'], 'Swarm': swarm}
        if not is_manager:
            return 503, {'message': 'This node is not a swarm manager.'}
        if parts == ['tasks']:
            filters = json.loads(unquote(parse_qs(url.query)['filters'][0]))
            if 'desired-state' in filters:
                return 200, self._running(filters)
            return 200, self._tasks(*filters['node'])
        if parts[0] == 'swarm':
            if method == 'POST':
                assert url.query.startswith(f'version={self.swarm["Version"]["Index"]}&')
                self.swarm |= {'Spec': body, 'RootRotationInProgress': True}
            return 200, self.swarm
        if parts == ['services']:
            counts = [{'RunningTasks': runs, 'DesiredTasks': all} for runs, all in self.services]
            return 200, [{'ServiceStatus': count} for count in counts]
        if parts == ['nodes']:
            return 200, list(self.nodes.values())
        row = self.nodes.get(parts[1])
        if row is None:
            return 404, {'message': 'node not found'}
        if method == 'DELETE':
            assert row['Spec']['Role'] == 'worker' and url.query == 'force=true'
            del self.nodes[parts[1]]
        if parts[2:] == ['update']:
            assert url.query == f'version={row["Version"]["Index"]}'
            row['Spec'], row['Version'] = body, {'Index': row['Version']['Index'] + 1}
        return 200, row

    def _running(self, filters):
        assert filters['desired-state'] == {'running': True}
        counts = {ident: self.running.get(ident, 0) for ident in filters['node']}
        return [
            {'NodeID': ident, 'Status': {'State': state}}
            for ident, count in counts.items()
            for state in ['running'] * count + ['rejected']
        ]

    def _tasks(self, node_id):
        left = self.tasks.get(node_id, 0)
        self.tasks[node_id] = max(0, left - 1)
        states = ['running'] * bool(left) + ['shutdown']
        return [{'Status': {'State': state}} for state in states]


class _Handler(http.server.BaseHTTPRequestHandler):
    managers: Managers

    def _any(self):
        length = int(self.headers.get('Content-Length') or 0)
        body = json.loads(self.rfile.read(length) or b'null')
        status, document = self.managers.answer(self.command, self.path, body)
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _any

    def log_message(self, *_):
        pass
