"""What the monitor finds at an API server: a real one over TLS, played by this process."""

import contextlib
import dataclasses
import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite.driver_sdk import Secret

PEM = serialization.Encoding.PEM


def certificate(name, issuer=None, days=365):
    """(certificate, key): self-signed, or signed by ``issuer``, for 127.0.0.1, for ``days``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing_key = issuer or (None, key)
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=signer.subject if signer else subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(days=30),
        not_valid_after=now + datetime.timedelta(days=days, hours=1),
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
def api_server(where, authority, status, text, days=365, location=None):
    """The URL of a server that answers ``/readyz`` over TLS.

    :param text: the body, or what writes it.
    """
    cert, key = certificate('kube-apiserver', authority, days)
    pem = where / 'server.pem'
    pem.write_bytes(
        cert.public_bytes(PEM)
        + key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == '/readyz' else 404)
            if location:
                self.send_header('Location', location)
            self.end_headers()
            if callable(text):
                text(self)
            else:
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

    def ask(address, timeout_s=5, **network):
        spec = make_spec(api_address=address)
        spec = dataclasses.replace(spec, network=dataclasses.replace(spec.network, **network))
        spec.secrets['ca.kubernetes.cert'] = Secret('ca', authority[0].public_bytes(PEM).decode())
        return driver.get_monitor(None, spec).look(timeout_s=timeout_s)

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


def test_a_certificate_that_should_have_been_renewed_is_told(look, tmp_path, authority):
    with api_server(tmp_path, authority, 200, b'ok', days=46) as url:
        assert look(url).reason == {'api': 'ok'}
    with api_server(tmp_path, authority, 200, b'ok', days=44) as url:
        health = look(url)
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=44, hours=1)
    assert health.status == 'HEALTHY'
    assert health.reason == {
        'api': 'ok',
        'certificate': f'ends on {end:%Y-%m-%d}, and its node did not renew it',
    }


def test_a_certificate_that_has_ended_is_unhealthy(look, tmp_path, authority):
    with api_server(tmp_path, authority, 200, b'ok', days=-1) as url:
        assert (look(url).status, look(url).reason) == (
            'UNHEALTHY',
            {'api': f'the certificate of {url} has ended'},
        )


def test_something_else_in_its_place_says_nothing_about_the_cluster(look, tmp_path):
    with api_server(tmp_path, certificate('another'), 200, b'ok') as url:
        health = look(url)
    assert health.status == 'UNKNOWN'
    assert health.reason['api'].startswith(f'what answers at {url} is not this cluster: ')
    assert 'certificate' in health.reason['api'] and 'FAILED' not in health.reason['api']


def test_a_refused_connection_is_unhealthy_unless_the_address_is_private(look):
    """Of a network of the cluster's own, which may have another meaning here."""
    with socket.socket() as unused:
        unused.bind(('127.0.0.1', 0))
        url = f'https://127.0.0.1:{unused.getsockname()[1]}'
        health, private = look(url), look(url, floating_ip_enabled=False)
    assert (health.status, private.status) == ('UNHEALTHY', 'UNKNOWN')
    assert 'refuses connections' in health.reason['api']


def test_a_silent_server_is_unknown(look):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        health = look(f'https://127.0.0.1:{silent.getsockname()[1]}', timeout_s=0.3)
    assert health.status == 'UNKNOWN'
    assert 'cannot be reached' in health.reason['api']


def test_a_server_that_drips_for_ever_is_given_up(look, tmp_path, authority):
    def drip(handler):
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b'x')
                time.sleep(0.01)

    with api_server(tmp_path, authority, 200, drip) as url:
        health = look(url, timeout_s=0.3)
    assert health.reason == {'api': f'{url} cannot be reached: no answer within 0.3 s'}


def test_of_an_endless_answer_little_is_read(look, tmp_path, authority):
    def flood(handler):
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b'x' * 1000)

    with api_server(tmp_path, authority, 500, flood) as url:
        health = look(url)
    assert health.reason == {'api': f'answers 500: {"x" * 200}'}


def test_a_redirect_is_not_followed(look, tmp_path, authority):
    asked = []

    def redirect(handler):
        asked.append(handler.path)

    with api_server(tmp_path, authority, 302, redirect, location='/elsewhere') as url:
        assert look(url).status == 'UNHEALTHY'
    assert asked == ['/readyz']


def test_nothing_secret_is_sent(look, tmp_path, authority):
    sent = []

    def note(handler):
        sent.append((dict(handler.headers), handler.connection.getpeercert()))
        handler.wfile.write(b'ok')

    with api_server(tmp_path, authority, 200, note) as url:
        assert look(url).status == 'HEALTHY'
    assert sent == [({'Host': '127.0.0.1', 'Connection': 'close'}, None)]


def test_a_server_of_an_authority_that_everybody_believes_is_not_this_cluster(driver, make_spec):
    spec = make_spec(api_address='https://192.0.2.7:6443')
    spec.secrets['ca.kubernetes.cert'] = Secret('ca')
    assert driver.get_monitor(None, spec).look(timeout_s=5).reason == {'api': 'has no authority'}


@pytest.mark.parametrize(
    'address', [None, 'https://:6443', 'https://fd00:1::d:6443', '192.0.2.7:6443']
)
def test_a_cluster_without_an_address_is_unknown(look, address):
    assert look(address).status == 'UNKNOWN'
    assert look(address).reason == {'api': 'has no address'}
