"""What the monitor finds at an API server: a real one over TLS, played by this process."""

import contextlib
import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
import types

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite.driver_sdk import Secret, StackView

PEM = serialization.Encoding.PEM


def certificate(name, issuer=None):
    """(certificate, key): self-signed, or signed by ``issuer``, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing_key = issuer or (None, key)
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=signer.subject if signer else subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1),
        not_valid_after=now + datetime.timedelta(hours=1),
    )
    builder = builder.add_extension(
        x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True
    )
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]),
        critical=False,
    )
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False
    )
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return builder.sign(signing_key, hashes.SHA256()), key


@pytest.fixture(scope='module')
def authority():
    """(certificate, key) of the cluster's CA."""
    return certificate('ca')


@contextlib.contextmanager
def api_server(where, authority, status, text):
    """The URL of a server that answers ``/readyz`` over TLS."""
    cert, key = certificate('kube-apiserver', authority)
    pem = where / 'server.pem'
    pem.write_bytes(
        cert.public_bytes(PEM)
        + key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == '/readyz' else 404)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            """Nothing is logged."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with http.server.HTTPServer(('127.0.0.1', 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f'https://127.0.0.1:{server.server_port}'
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def look(driver, make_spec, authority):
    """``look(api_address)``: the health of a cluster whose API is there."""

    def ask(address):
        spec = make_spec()
        spec.secrets['ca.kubernetes.cert'] = Secret('ca', authority[0].public_bytes(PEM).decode())
        view = StackView('i', 'n', 'CREATE_COMPLETE', outputs={'api_address': address})
        heat = types.SimpleNamespace(get=lambda name: view if address else None)
        cloud = types.SimpleNamespace(heat=heat)
        return driver.get_monitor(cloud, spec).look(timeout_s=5)

    return ask


def test_an_api_that_is_ready_is_healthy(look, tmp_path, authority):
    with api_server(tmp_path, authority, 200, b'ok') as url:
        assert look(url).status == 'HEALTHY'
        assert look(url).reason == {'api': 'ok'}


def test_an_api_that_is_not_ready_is_unhealthy_and_says_why(look, tmp_path, authority):
    with api_server(tmp_path, authority, 500, b'[-]etcd failed') as url:
        health = look(url)
    assert health.status == 'UNHEALTHY'
    assert health.reason == {'api': 'answers 500: [-]etcd failed'}


def test_something_else_in_its_place_says_nothing_about_the_cluster(look, tmp_path):
    with api_server(tmp_path, certificate('another'), 200, b'ok') as url:
        health = look(url)
    assert health.status == 'UNKNOWN'
    assert 'is not this cluster' in health.reason['api']


def test_a_refused_connection_is_unhealthy(look):
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        health = look(f'https://127.0.0.1:{unused.getsockname()[1]}')
    assert health.status == 'UNHEALTHY'
    assert 'refuses connections' in health.reason['api']


def test_a_silent_server_is_unknown(look, driver, make_spec):
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        view = StackView(
            'i',
            'n',
            'CREATE_COMPLETE',
            outputs={'api_address': f'https://127.0.0.1:{silent.getsockname()[1]}'},
        )
        cloud = types.SimpleNamespace(heat=types.SimpleNamespace(get=lambda name: view))
        spec = make_spec()
        spec.secrets['ca.kubernetes.cert'] = Secret(
            'ca', certificate('ca')[0].public_bytes(PEM).decode()
        )
        health = driver.get_monitor(cloud, spec).look(timeout_s=0.3)
    assert health.status == 'UNKNOWN'
    assert 'cannot be reached' in health.reason['api']


def test_a_cluster_without_an_address_is_unknown(look):
    assert look(None).status == 'UNKNOWN'
