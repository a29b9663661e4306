"""The authorities of a cluster: what is shown, and what they sign."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from magnum_lite.certs import authority
from magnum_lite.db import store
from magnum_lite.objects import Certificate

DAYS = 10


def write_authorities(connection, vault, cluster):
    """What the conductor does before it builds."""
    for purpose in ('kubernetes', 'etcd', 'front_proxy'):
        made = authority.make(purpose, key_type='ec-p256', days=DAYS)
        store.insert(
            connection,
            Certificate.new(
                cluster_id=cluster,
                purpose=purpose,
                pem=made.pem,
                not_after=made.not_after,
                key_ref=vault.write(connection, cluster, f'ca.{purpose}.key', made.key),
            ),
        )


@pytest.fixture
def cluster(api):
    """A cluster with its authorities."""
    uuid = api.cluster(api.template())
    api.db.write(write_authorities, api.application.service.vault, uuid)
    return uuid


@pytest.mark.parametrize('status', ['CREATE_COMPLETE', 'CREATE_FAILED', 'UPDATE_IN_PROGRESS'])
def test_a_cluster_that_gets_no_authorities_says_so(api, status):
    uuid = api.cluster(api.template())
    api.settle(uuid, status)
    for kind in ('', '?ca_cert_type=etcd'):
        title = api.refused(400, 'GET', f'/v1/certificates/{uuid}{kind}')['title']
        assert 'has no certificate authorities' in title and 'yet' not in title
    api.refused(400, 'POST', '/v1/certificates', {'cluster_uuid': uuid, 'csr': csr()})


def test_an_authority_that_the_driver_has_not_is_not_to_come(api, cluster):
    api.db.write(store.delete, Certificate, cluster_id=cluster, purpose='etcd')
    title = api.refused(400, 'GET', f'/v1/certificates/{cluster}?ca_cert_type=etcd')['title']
    assert title.endswith('has no etcd certificate authority, it has front_proxy, kubernetes')


def csr(*extensions, key=None, algorithm=None):
    """A request, PEM: ``extensions`` are (value, critical)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, 'admin'),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'system:masters'),
            ]
        )
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    key = key or ec.generate_private_key(ec.SECP256R1())
    signed = builder.sign(key, algorithm or hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def sign(api, cluster, request, **more):
    """The certificate for a request."""
    shown = api.ok('POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': request, **more})
    assert shown['csr'] == request and shown['cluster_uuid'] == cluster
    return x509.load_pem_x509_certificate(shown['pem'].encode())


def ca(api, cluster, kind=''):
    """An authority's certificate, as shown."""
    shown = api.ok('GET', f'/v1/certificates/{cluster}{kind}')
    assert shown.keys() == {'cluster_uuid', 'pem', 'links'}
    return x509.load_pem_x509_certificate(shown['pem'].encode())


def test_the_certificate_is_of_the_authority_and_does_not_outlive_it(api, cluster):
    found, root = sign(api, cluster, csr()), ca(api, cluster)
    found.verify_directly_issued_by(root)
    assert found.not_valid_after_utc == root.not_valid_after_utc
    age = datetime.datetime.now(datetime.UTC) - found.not_valid_before_utc
    assert datetime.timedelta(hours=23) < age < datetime.timedelta(hours=25)
    assert isinstance(found.signature_hash_algorithm, hashes.SHA256)
    assert found.subject.rfc4514_string() == 'O=system:masters,CN=admin'
    assert {e.oid for e in found.extensions} == {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }


def test_terraform_sends_a_long_key_and_another_digest(api, cluster):
    request = csr(key=rsa.generate_private_key(65537, 2048), algorithm=hashes.SHA512())
    sign(api, cluster, request).verify_directly_issued_by(ca(api, cluster))


@pytest.mark.parametrize(
    'kind, purpose',
    [
        ('?ca_cert_type=etcd', 'etcd'),
        ('?ca_cert_type=front_proxy', 'front_proxy'),
        ('?ca_cert_type=front-proxy', 'front_proxy'),
        ('?ca_cert_type=kubelet', 'kubernetes'),
        ('?ca_cert_type=anything', 'kubernetes'),
        ('', 'kubernetes'),
    ],
)
def test_the_type_selects_the_authority(api, cluster, kind, purpose):
    assert ca(api, cluster, kind).subject.rfc4514_string() == f'CN={purpose}'
    if kind:
        found = sign(api, cluster, csr(), ca_cert_type=kind.partition('=')[2])
        found.verify_directly_issued_by(ca(api, cluster, kind))


def usage(**given):
    """A KeyUsage with some bits."""
    names = (
        'digital_signature',
        'content_commitment',
        'key_encipherment',
        'data_encipherment',
        'key_agreement',
        'key_cert_sign',
        'crl_sign',
        'encipher_only',
        'decipher_only',
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


FREE = x509.UnrecognizedExtension(ObjectIdentifier('1.2.3.4.5'), b'\x05\x00')


@pytest.mark.parametrize(
    'extension',
    [
        (FREE, True),
        (x509.BasicConstraints(True, None), True),
        (usage(key_cert_sign=True), True),
        (usage(digital_signature=True, crl_sign=True), True),
    ],
)
def test_what_users_may_not_ask_for_is_refused_when_critical(api, cluster, extension):
    error = api.refused(
        400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': csr(extension)}
    )
    assert 'critical extension' in error['detail']


def test_what_users_may_not_ask_for_is_dropped_when_not_critical(api, cluster):
    found = sign(
        api,
        cluster,
        csr(
            (FREE, False),
            (x509.BasicConstraints(True, None), False),
            (usage(digital_signature=True, key_cert_sign=True), False),
        ),
    )
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    kept = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert kept == usage(digital_signature=True)
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_oid(FREE.oid)


def test_what_users_may_ask_for_is_taken_over(api, cluster):
    names = x509.SubjectAlternativeName([x509.DNSName('node.example')])
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    key = ec.generate_private_key(ec.SECP256R1())
    lie = x509.SubjectKeyIdentifier(b'not the key')
    found = sign(api, cluster, csr((names, False), (purpose, True), (lie, False), key=key))
    take = found.extensions.get_extension_for_class
    assert take(x509.SubjectAlternativeName).value == names
    assert take(x509.ExtendedKeyUsage).value == purpose
    assert take(x509.SubjectKeyIdentifier).value == x509.SubjectKeyIdentifier.from_public_key(
        key.public_key()
    )


@pytest.mark.parametrize(
    'text',
    [
        'x',
        '-----BEGIN CERTIFICATE REQUEST-----',
        'é' * 100,
        '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
    ],
)
def test_what_is_no_request_is_refused(api, cluster, text):
    error = api.refused(400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': text})
    assert error['title'].startswith('Invalid input for csr')


def test_a_request_signed_by_another_key_is_refused(api, cluster):
    lines = csr().splitlines()
    other = csr().splitlines()
    forged = '\n'.join([*lines[:-2], other[-2], lines[-1]])
    api.refused(400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': forged})


def authority_of_years(connection, vault, cluster):
    """An authority that outlives what it signs."""
    made = authority.make('kubernetes', key_type='ec-p256', days=1825)
    store.insert(
        connection,
        Certificate.new(
            cluster_id=cluster,
            purpose='kubernetes',
            pem=made.pem,
            not_after=made.not_after,
            key_ref=vault.write(connection, cluster, 'ca.kubernetes.key', made.key),
        ),
    )


@pytest.mark.parametrize('asked, days', [({}, 365), ({'days': 2}, 2), ({'days': 365}, 365)])
def test_a_certificate_lives_a_year_or_as_long_as_asked(api, asked, days):
    cluster = api.cluster(api.template())
    api.db.write(authority_of_years, api.application.service.vault, cluster)
    left = sign(api, cluster, csr(), **asked).not_valid_after_utc - datetime.datetime.now(
        datetime.UTC
    )
    assert datetime.timedelta(days - 1) < left <= datetime.timedelta(days)


@pytest.mark.parametrize('days', [0, -1, 366, 2**31, 'x'])
def test_days_that_nobody_may_have_are_refused(api, cluster, days):
    error = api.refused(
        400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': csr(), 'days': days}
    )
    assert 'days' in error['detail']


def test_the_journal_says_who_had_what_signed(api, cluster):
    found = sign(api, cluster, csr())
    newest = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][-1]
    shown = api.ok('GET', f'/v1/clusters/{cluster}/operations/{newest["uuid"]}')['steps'][-1]
    for text in (
        f'{found.serial_number:x}',
        'O=system:masters,CN=admin',
        newest['user_id'],
        f'{found.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}',
        'kubernetes authority',
    ):
        assert text in shown['text']


def test_the_journal_has_the_whole_subject(api, cluster):
    """A group of Kubernetes is one of its parts, and they come in any order."""
    padding = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, 'x' * 60)] * 9
    group = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'system:masters')]
    key = ec.generate_private_key(ec.SECP256R1())
    sign(api, cluster, named([*NAME, *group, *padding], key, hashes.SHA256()))
    newest = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][-1]
    shown = api.ok('GET', f'/v1/clusters/{cluster}/operations/{newest["uuid"]}')['steps'][-1]
    assert 'O=system:masters,CN=admin' in shown['text']
    error = api.refused(
        400,
        'POST',
        '/v1/certificates',
        {
            'cluster_uuid': cluster,
            'csr': named([*NAME, *group, *padding * 2], key, hashes.SHA256()),
        },
    )
    assert 'at most 1000 are accepted' in error['detail']


def named(subject, key, digest=None):
    """A request of a subject, PEM."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM).decode()


NAME = [x509.NameAttribute(NameOID.COMMON_NAME, 'admin')]


@pytest.mark.parametrize(
    'request_of, reason',
    [
        (
            lambda: named(NAME, rsa.generate_private_key(65537, 1024), hashes.SHA256()),  # noqa: S505
            'RSA of 1024 bits',
        ),
        (lambda: named(NAME, dsa.generate_private_key(2048), hashes.SHA256()), 'DSA'),
        (
            lambda: named(NAME, ec.generate_private_key(ec.SECP192R1()), hashes.SHA256()),
            'secp192r1',
        ),
        (
            lambda: named(NAME, ec.generate_private_key(ec.SECP256K1()), hashes.SHA256()),
            'secp256k1',
        ),
        (lambda: named(NAME, ec.generate_private_key(ec.SECP256R1()), hashes.SHA224()), 'sha224'),
        (
            lambda: named([], ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
            'common name',
        ),
        (lambda: csr() + ' ' * 65536, 'longer than'),
    ],
    ids=['rsa', 'dsa', 'curve', 'koblitz', 'digest', 'nameless', 'long'],
)
def test_a_weak_request_is_refused(api, cluster, request_of, reason):
    error = api.refused(
        400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': request_of()}
    )
    assert error['title'].startswith('Invalid input for csr') and reason in error['detail']


@pytest.mark.parametrize(
    'key, digest',
    [
        (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384()),
        (ed25519.Ed25519PrivateKey.generate(), None),
    ],
    ids=['p384', 'ed25519'],
)
def test_a_strong_request_is_signed(api, cluster, key, digest):
    sign(api, cluster, named(NAME, key, digest)).verify_directly_issued_by(ca(api, cluster))


def test_a_deleted_cluster_has_no_certificate(api, cluster):
    api.ok('DELETE', f'/v1/clusters/{cluster}')
    assert ca(api, cluster)
    api.db.write(lambda connection: connection.exec_driver_sql('DELETE FROM clusters'))
    api.refused(404, 'GET', f'/v1/certificates/{cluster}')
    assert api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][-1]['kind'] == 'delete'
    api.refused(404, 'GET', f'/v1/clusters/{cluster}/operations', token='bob:green')
