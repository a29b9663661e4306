"""Servers of a cluster that gets new authorities, as clients meet them that know the old or the new
one: real TLS, in each stage of a real rotation."""

import contextlib
import http.server
import ipaddress
import itertools
import ssl
import subprocess
import threading
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from magnum_lite.certs import authority, signing
from magnum_lite.certs.authority import key_pem
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.objects import Certificate
from tests.engine.test_stages import Rotating, run
from tests.functional.authorities import csr

HERE = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address('127.0.0.1'))])
PART = 'ca.kubernetes'
TIMEOUT_S = 20
OPENSSL, GO = pytest.mark.needs('openssl', 'curl'), pytest.mark.needs('docker')


@pytest.fixture
def heat(memory_heat):
    """None is needed."""
    return memory_heat


@pytest.fixture
def driver(tmp_path):
    """A driver of files, which keeps what it is told."""
    return Rotating(tmp_path / 'cloud')


@pytest.fixture
def manager(conf, database, driver):
    """A worker."""
    return Manager(conf, database, Registry({'tiny': driver}), owner='me')


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 - the name is http.server's
        body = b'[]'  # which is also what docker reads as no containers
        self.send_response(200)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args):
        """Nothing."""


@contextlib.contextmanager
def serving(path, secrets):
    """A server with a certificate that signs now, and what is to come after it; its address."""
    values = {name.removeprefix(f'{PART}.'): secret.value for name, secret in secrets.items()}
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = signing.sign(csr((HERE, False), key=key), values['cert'], values['key'], days=1)
    path.write_text(
        leaf.public_bytes(Encoding.PEM).decode() + values['cross'] + key_pem(key), 'ascii'
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f'127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def python(address, trusted):
    """Whether Python believes a server, as strict as its newest release is by itself."""
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        with urllib.request.urlopen(f'https://{address}', context=context, timeout=TIMEOUT_S):
            return True
    except urllib.error.URLError as error:
        assert isinstance(error.reason, ssl.SSLCertVerificationError), error
        return False


def program(*command, fails):
    """Whether a program ends well; else it has to have said this."""
    ended = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert not ended.returncode or fails in ended.stdout + ended.stderr, ended
    return not ended.returncode


def curl(address, trusted):
    """Whether curl does."""
    return program(
        'curl', '-sS', '--cacert', trusted, f'https://{address}', fails='SSL certificate problem'
    )


def openssl(address, trusted):
    """Whether ``openssl`` does, by the file that the server has."""
    return program(
        *('openssl', 'verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', trusted),
        *('-untrusted', trusted.with_name('server'), trusted.with_name('server')),
        fails='verification failed',
    )


def docker(address, trusted):
    """Whether the docker client does: Go, as kubectl and many others."""
    return program(
        *('docker', '-H', f'tcp://{address}', '--tlsverify', '--tlscacert', trusted, 'ps'),
        fails='x509: certificate signed by unknown authority',
    )


def rotate(tenant, manager, driver, cluster_id, generation, state='DONE'):
    """Replace the authorities; ``[secrets]`` of each stage, as the driver was told them."""
    driver.told.clear()
    wanted = {'ca_generation': generation}
    operation = run(manager, tenant, tenant.whole(cluster_id, 'rotate_ca', cluster=wanted))
    assert operation.state == state
    found = ({k: v for k, v in spec.secrets.items() if k.startswith(PART)} for spec in driver.told)
    return [secrets for secrets, _ in itertools.groupby(found)]


def files(path, old, new):
    """{who: file} of clients that fetched what is trusted before, after and meanwhile."""
    texts = {'old': old, 'new': new, 'both': new + old, 'both, old first': old + new}
    found = {}
    for who, text in texts.items():
        found[who] = path / who
        found[who].write_text(text)
    return found


def believers(client, path, stages, trusting):
    """For each stage, which of the clients believe a server."""
    found = []
    for secrets in stages:
        with serving(path / 'server', secrets) as address:
            found.append({who for who, file in trusting.items() if client(address, file)})
    return found


@pytest.mark.parametrize(
    ('key_type', 'clients'),
    [
        pytest.param('ec-p256', (python, curl, openssl), marks=OPENSSL),
        pytest.param('rsa-2048', (python, curl, openssl), marks=OPENSSL),
        pytest.param('ec-p256', (docker,), marks=GO),
    ],
)
def test_clients_of_before_go_on_until_the_last_stage(
    conf, tenant, manager, driver, tmp_path, monkeypatch, clients, key_type
):
    monkeypatch.setenv('DOCKER_CONFIG', str(tmp_path))
    conf.set_override('key_type', key_type, 'certificates')
    create = tenant.create()
    run(manager, tenant, create)
    stages = rotate(tenant, manager, driver, create.cluster_id, 2)
    trusting = files(tmp_path, *(stage[f'{PART}.cert'].value for stage in stages[:2]))
    old, new, *both = trusting
    for client in clients:
        shown = believers(client, tmp_path, stages, trusting)
        assert shown == [{old, *both}, {old, new, *both}, {new, *both}], client


@pytest.mark.parametrize('client', [python, pytest.param(docker, marks=GO)])
def test_clients_of_each_generation_are_led_along_where_a_rotation_failed(
    tenant, manager, driver, tmp_path, monkeypatch, client
):
    """In ``sign``: the next one makes a third generation, while some know the first alone."""
    monkeypatch.setenv('DOCKER_CONFIG', str(tmp_path))
    create = tenant.create()
    run(manager, tenant, create)
    driver.fails = lambda spec: spec.secrets[f'{PART}.cert'].ref.endswith('.2')
    first, _ = rotate(tenant, manager, driver, create.cluster_id, 2, state='FAILED')
    driver.fails = lambda spec: False
    assert run(manager, tenant, tenant.resize(create.cluster_id, 2)).state == 'DONE'
    stages = rotate(tenant, manager, driver, create.cluster_id, 3)
    refs = [secrets[f'{PART}.cross'].ref.partition('.kubernetes.')[2] for secrets in stages]
    assert refs == ['cross.2.1', 'cross.3.2.1', 'cross']
    trusting = {}
    certs = [secrets[f'{PART}.cert'].value for secrets in (first, *stages[:2])]
    for number, text in enumerate(certs, 1):
        trusting[number] = tmp_path / str(number)
        trusting[number].write_text(text)
    shown = believers(client, tmp_path, stages, trusting)
    assert shown == [{1, 2}, {1, 2, 3}, {3}]


def test_a_cross_certificate_is_of_the_new_authority_and_signed_by_the_old_one(
    tenant, manager, driver
):
    create = tenant.create()
    run(manager, tenant, create)
    trust, sign, forget = rotate(tenant, manager, driver, create.cluster_id, 2)
    assert [stage[f'{PART}.cross'].value == '' for stage in (trust, sign, forget)] == [
        True,
        False,
        True,
    ]
    old, new, cross = (
        x509.load_pem_x509_certificate(secrets[f'{PART}.{part}'].value.encode())
        for secrets, part in ((trust, 'cert'), (sign, 'cert'), (sign, 'cross'))
    )
    cross.verify_directly_issued_by(old)
    assert (cross.subject, cross.public_key()) == (new.subject, new.public_key())
    assert cross.not_valid_after_utc <= old.not_valid_after_utc
    kinds = (x509.SubjectKeyIdentifier, x509.KeyUsage, x509.BasicConstraints)
    for kind in kinds:
        assert cross.extensions.get_extension_for_class(
            kind
        ) == new.extensions.get_extension_for_class(kind)
    signed_by = cross.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    own = old.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert signed_by.key_identifier == own.digest


def test_an_authority_that_has_expired_signs_no_other(tenant, manager, driver):
    """A rotation is what such a cluster needs."""
    create = tenant.create()
    run(manager, tenant, create)
    over = authority.make('kubernetes', key_type='ec-p256', days=0)
    tenant.database.write(
        store.update, Certificate, {'pem': over.pem}, cluster_id=create.cluster_id
    )
    stages = rotate(tenant, manager, driver, create.cluster_id, 2)
    assert [secrets[f'{PART}.cross'].value for secrets in stages] == ['', '', '']


def test_where_release_1_0_began_a_rotation_this_one_makes_what_it_left_out(
    database, tenant, manager, driver
):
    create = tenant.create()
    run(manager, tenant, create)
    driver.fails = lambda spec: True
    rotate(tenant, manager, driver, create.cluster_id, 2, state='FAILED')
    database.write(
        store.update, Certificate, {'cross_pem': None}, cluster_id=create.cluster_id, generation=2
    )
    driver.fails = lambda spec: False
    assert run(manager, tenant, tenant.resize(create.cluster_id, 2)).state == 'DONE'
    _, sign, _ = rotate(tenant, manager, driver, create.cluster_id, 2)
    assert sign[f'{PART}.cross'].value
