"""Serves the Kubernetes APIs of simulated control planes, with certificates of their authority."""

import datetime
import hashlib
import http.server
import ipaddress
import json
import logging
import pathlib
import socket
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite_dev.sim_cloud import servers, user_data
from magnum_lite_dev.sim_cloud.kube_api import Cluster

LOG = logging.getLogger(__name__)
# Where kubeadm has the authority of its API.
AUTHORITY, AUTHORITY_KEY = '/etc/kubernetes/pki/ca.crt', '/etc/kubernetes/pki/ca.key'
PEM = '-----BEGIN CERTIFICATE-----'
PORT = 6443
VERSION = 'v1.34.0'
DAYS = 365
IDLE_S = 60


class KubeServers:
    """The API servers of one cloud; one listens while the server of its control plane exists.

    :param is_near: whether an address is one of this machine; those of loopback are.
    """

    def __init__(self, store, is_near=lambda address: address.is_loopback) -> None:
        self._store = store
        self._is_near = is_near
        self._running = {}

    def open(self, row) -> None:
        """Serve the API of this server, if it is a control plane with an address here."""
        files = user_data.files(row['_user_data'].encode('utf-8', 'surrogateescape'))
        fetched = row.get('_secrets') or {}
        if 'ca.kubernetes.key' in fetched:
            files[AUTHORITY_KEY] = fetched['ca.kubernetes.key']
        row['_authorities'] = [
            _fingerprint(text) for text in files.values() if text.lstrip().startswith(PEM)
        ]
        if not {AUTHORITY, AUTHORITY_KEY} <= set(files):
            return
        values = user_data.variables(files)
        with self._store.lock:
            addresses = [
                ipaddress.ip_address(each['addr'])
                for network in servers.addresses(self._store, row).values()
                for each in network
            ]
        near = [str(address) for address in addresses if self._is_near(address)]
        if not near:
            return
        cluster = Cluster(
            self._store, row, _fingerprint(files[AUTHORITY]), values.get('KUBE_TAG') or VERSION
        )
        where = near[0], int(values.get('APISERVER_PORT') or PORT)
        try:
            context = _context(files[AUTHORITY], files[AUTHORITY_KEY], row['name'], addresses)
            self._listen(where, cluster, context)
        except (OSError, ValueError) as error:
            LOG.warning('the API of %s cannot be served at %s:%s: %s', row['name'], *where, error)

    def _listen(self, where, cluster, context) -> None:
        with self._store.lock:
            # A node that its service did not hear comes here again.
            if cluster.is_there and cluster.row['id'] not in self._running:
                self._running[cluster.row['id']] = _Server(where, cluster, context)

    def close(self, row) -> None:
        """Stop serving the API of this server; nothing happens when it has none."""
        server = self._running.pop(row['id'], None)
        if server:
            server.end()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, where, cluster, context) -> None:
        super().__init__(where, _Handler)
        self.cluster = cluster
        # The handshake is the business of the connection's own thread.
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self.serve_forever, name=f'kube-{where[0]}', daemon=True).start()

    def end(self) -> None:
        """Stop listening."""
        # Wakes the thread that listens: without it, shutdown() would wait for half a second.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A client that ends the handshake or the connection is nobody's mistake here."""
        LOG.debug('connection of %s ended', client_address, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    server_version = 'simulated'
    timeout = IDLE_S

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        """Any method; nothing is answered any more once the server was deleted."""
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        cluster = self.server.cluster
        if not cluster.is_there:
            self.close_connection = True
            return
        with cluster.store.lock:
            status, reply = cluster.answer(self.command, self.path, self._organizations())
        data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header(
            'Content-Type', 'text/plain' if isinstance(reply, str) else 'application/json'
        )
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _organizations(self) -> list[str] | None:
        certificate = self.connection.getpeercert()
        if not certificate:
            return None
        return [
            value
            for part in certificate['subject']
            for name, value in part
            if name == 'organizationName'
        ]

    def log_message(self, text, *values) -> None:
        """Requests go to the log of the cloud."""
        LOG.debug(text, *values)


def _fingerprint(pem) -> str:
    return hashlib.sha256(pem.strip().encode()).hexdigest()


def _context(authority, authority_key, name, addresses) -> ssl.SSLContext:
    """What the server of these addresses shows, and whom it believes: clients of the authority.

    A client without a certificate gets in: the API tells it that it is unauthorized.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(authority, authority_key, key.public_key(), name, addresses)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / 'server.pem'
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context.load_cert_chain(path)
    return context


def _certificate(authority, authority_key, public_key, name, addresses) -> x509.Certificate:
    ca = x509.load_pem_x509_certificate(authority.encode())
    ca_key = serialization.load_pem_private_key(authority_key.encode(), None)
    now = datetime.datetime.now(datetime.UTC)
    names = [name, 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
    return (
        x509.CertificateBuilder()
        .issuer_name(ca.subject)
        .public_key(public_key)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'kube-apiserver')]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - datetime.timedelta(days=1), ca.not_valid_before_utc))
        .not_valid_after(min(now + datetime.timedelta(days=DAYS), ca.not_valid_after_utc))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(each) for each in names]
                + [x509.IPAddress(each) for each in addresses]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
