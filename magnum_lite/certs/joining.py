"""Certificates by which nodes join: each has one of its own, for a short time."""

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from magnum_lite.certs.authority import DAY, key_pem, private_key

_USAGES = ('digital_signature', 'key_encipherment')
_OTHER_USAGES = (
    'content_commitment',
    'data_encipherment',
    'key_agreement',
    'key_cert_sign',
    'crl_sign',
    'encipher_only',
    'decipher_only',
)


def make(
    name: str, organization: str, ca_pem: str, ca_key_pem: str, *, valid_s: int
) -> tuple[x509.Certificate, str]:
    """(certificate, key in PEM): a client of that name in that organization.

    Valid from yesterday, so that clocks may differ, for ``valid_s`` seconds, never beyond its
    authority.

    :param name: at most 64 characters (RFC 5280), as the organization.
    """
    ca = x509.load_pem_x509_certificate(ca_pem.encode())
    ca_key: Any = serialization.load_pem_private_key(ca_key_pem.encode(), None)
    key = private_key('ec-p256')
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(ca.subject)
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
                    x509.NameAttribute(NameOID.COMMON_NAME, name),
                ]
            )
        )
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(min(now + datetime.timedelta(seconds=valid_s), ca.not_valid_after_utc))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.KeyUsage(**dict.fromkeys(_USAGES, True), **dict.fromkeys(_OTHER_USAGES, False)),
            critical=True,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    return certificate, key_pem(key)
