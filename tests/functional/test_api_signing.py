"""Which requests the authorities of a cluster sign, and what they take over of them."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from tests.functional.authorities import NAME, ca, csr, make_cluster, named, sign


@pytest.fixture
def cluster(api):
    """A cluster with its authorities."""
    return make_cluster(api)


def test_terraform_sends_a_long_key_and_another_digest(api, cluster):
    request = csr(key=rsa.generate_private_key(65537, 2048), algorithm=hashes.SHA512())
    sign(api, cluster, request).verify_directly_issued_by(ca(api, cluster))


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
