"""The real ``openstack coe`` commands, of two releases of the client, against the real service."""

import ipaddress
import json
import os
import socket
import ssl
import subprocess
import threading
from base64 import b64decode

import pytest
import sqlalchemy as sa
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.certs.signing import sign
from magnum_lite.db.engine import Database
from magnum_lite.db.tables import certificates
from magnum_lite.secrets.vault import Vault
from magnum_lite_dev.client import Client as OpenStack

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq, pytest.mark.clients]
VERSIONS = ('4.10.0', '5.0.0')


class Shell:
    """Somebody at a shell with the ``openstack`` command of one release."""

    def __init__(self, service, program, project):
        self._client = OpenStack('', program)
        self._url = service.url
        self._environment = {**self._client.environment(service.url),
                             'OS_TOKEN': f'ann:{project}:member,reader'}

    def run(self, *words, token=None):
        """The output of ``openstack coe ...``; fails unless it succeeds."""
        environment = {**self._environment, **({'OS_TOKEN': token} if token else {})}
        done = subprocess.run([self._client.program, 'coe', *words], env=environment, check=False,
                              text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, f'{words}: {done.stdout}{done.stderr}'
        return done.stdout

    def json(self, *words, **kwargs):
        """The output of a command that can print JSON."""
        return json.loads(self.run(*words, '-f', 'json', **kwargs))


@pytest.fixture(params=VERSIONS)
def shell(service, request):
    """A shell for each release of python-magnumclient."""
    folder = os.environ['MAGNUM_LITE_TEST_CLIENTS']
    project = f'client-{request.param.replace(".", "-")}'
    return Shell(service, f'{folder}/{request.param}/bin/openstack', project)


def test_a_session_with_every_command(service, shell, tmp_path):
    is_5 = 'client-5' in shell._environment['OS_TOKEN']
    http = service.client(shell._environment['OS_TOKEN'].split(':')[1], 'ann')
    shell.run('cluster', 'template', 'create', 'small', '--coe', 'kubernetes', '--image',
              'debian-13', '--external-network', 'public', '--flavor', 'm1.small',
              '--master-flavor', 'm1.small', '--keypair', 'demo')
    shell.run('cluster', 'template', 'update', 'small', *(
        ['--label', 'availability_zone=nova'] if is_5
        else ['add', 'labels/availability_zone=nova']))
    assert shell.json('cluster', 'template', 'show', 'small')['labels'] == {
        'availability_zone': 'nova'}
    assert [row['name'] for row in shell.json('cluster', 'template', 'list')] == ['small']

    accepted = shell.run('cluster', 'create', 'one', '--cluster-template', 'small',
                         '--node-count', '1')
    assert 'accepted' in accepted
    uuid = http('GET', '/clusters/one', 200)['uuid']
    http.wait(uuid)
    shown = shell.json('cluster', 'show', 'one')
    assert shown['status'] == 'CREATE_COMPLETE' and shown['uuid'] == uuid
    assert [row['name'] for row in shell.json('cluster', 'list')] == ['one']

    groups = shell.json('nodegroup', 'list', 'one')
    assert sorted(row['name'] for row in groups) == ['default-master', 'default-worker']
    assert shell.json('nodegroup', 'show', 'one', 'default-worker')['node_count'] == 1

    shell.run('cluster', 'resize', 'one', '2')
    http.wait(uuid, 'UPDATE_COMPLETE')
    shell.run('cluster', 'update', 'one',
              *(['--node-count', '1'] if is_5 else ['replace', 'node_count=1']))
    http.wait(uuid, 'UPDATE_COMPLETE')
    assert shell.json('cluster', 'show', 'one')['node_count'] == 1

    _check_certificates(service, shell, uuid, tmp_path)
    services = shell.json('service', 'list', token='admin:admin:admin')
    assert [row['binary'] for row in services] == ['magnum-conductor']

    shell.run('cluster', 'delete', 'one')
    http.gone(uuid)
    shell.run('cluster', 'template', 'delete', 'small')
    assert shell.json('cluster', 'template', 'list') == []


def _check_certificates(service, shell, uuid, tmp_path):
    assert 'BEGIN CERTIFICATE' in shell.run('ca', 'show', 'one')
    request = tmp_path / 'request.pem'
    request.write_text(_request('somebody'))
    assert 'BEGIN CERTIFICATE' in shell.run('ca', 'sign', 'one', str(request))
    shell.run('cluster', 'config', 'one', '--dir', str(tmp_path))
    config = yaml.safe_load((tmp_path / 'config').read_text())
    user = config['users'][0]['user']
    cluster = config['clusters'][0]['cluster']
    texts = {name: b64decode(text).decode() for name, text in (
        ('ca', cluster['certificate-authority-data']), ('cert', user['client-certificate-data']),
        ('key', user['client-key-data']))}
    subject = _shake_hands(service, uuid, tmp_path, texts)
    assert (('organizationName', 'system:masters'),) in subject
    assert cluster['server'].startswith('https://')


def _shake_hands(service, uuid, tmp_path, texts):
    """Subject of the client that a TLS server with a certificate of the cluster's CA sees."""
    authority, key = _authority(service, uuid)
    server_key = ec.generate_private_key(ec.SECP256R1())
    files = {**texts, 'server-key': _pem(server_key), 'server-cert': sign(
        _request('127.0.0.1', server_key, address='127.0.0.1'), authority, key, days=1)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    inside = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / 'ca')
    inside.load_cert_chain(tmp_path / 'server-cert', tmp_path / 'server-key')
    inside.verify_mode = ssl.CERT_REQUIRED
    outside = ssl.create_default_context(cafile=tmp_path / 'ca')
    outside.load_cert_chain(tmp_path / 'cert', tmp_path / 'key')
    seen = []
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def accept():
            with inside.wrap_socket(listener.accept()[0], server_side=True) as connection:
                seen.append(connection.getpeercert()['subject'])
                connection.send(b'hello')
        thread = threading.Thread(target=accept)
        thread.start()
        with socket.create_connection(listener.getsockname()) as plain, \
                outside.wrap_socket(plain, server_hostname='127.0.0.1') as connection:
            assert connection.recv(5) == b'hello'
        thread.join()
    return seen[0]


def _authority(service, uuid):
    """(certificate, private key) of a cluster, as only the service may read them."""
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf([], project='magnum-lite', default_config_files=[str(service.config)])
    database = Database(conf)
    with database.read() as connection:
        row = connection.execute(sa.select(certificates).where(
            certificates.c.cluster_id == uuid, certificates.c.purpose == 'kubernetes')).one()
        key = Vault(conf).read(connection, row.key_ref)
    database.dispose()
    return row.pem, key


def _request(name, key=None, *, address=None):
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    if address:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()
