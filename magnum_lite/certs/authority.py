"""Making certificate authorities (contract 4.8)."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A CA: certificate and private key, PEM."""

    pem: str
    key: str = field(repr=False)
    not_after: datetime.datetime


def make(common_name: str, *, key_type: str, days: int) -> Authority:
    """A new CA, valid from yesterday on, so that clocks may differ.

    :param common_name: at most 64 characters (RFC 5280).
    :param key_type: ``ec-p256`` or ``rsa-2048``.
    :param days: how long it is valid from now.
    """
    key = private_key(key_type)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    today = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    not_after = today + days * DAY
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - DAY)
        .not_valid_after(not_after)
        # Go counts the next one's cross certificate in a path, where RFC 5280 does not.
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Authority(pem, key_pem(key), not_after)


def cross(pem: str, issuer_pem: str, issuer_key: str) -> str | None:
    """A certificate of an authority that another one has signed, PEM: who trusts that one alone
    believes by it what the authority signs. None where either has expired.

    :param pem: the certificate of the authority.
    :param issuer_key: PEM; whose certificate is ``issuer_pem``.
    """
    own = x509.load_pem_x509_certificate(pem.encode())
    issuer = x509.load_pem_x509_certificate(issuer_pem.encode())
    key: Any = serialization.load_pem_private_key(issuer_key.encode(), None)
    not_after = min(own.not_valid_after_utc, issuer.not_valid_after_utc)
    if not_after <= datetime.datetime.now(datetime.UTC):
        return None
    builder = (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(issuer.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(not_after)
    )
    for extension in own.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    # Both have one name: by this they are told apart.
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    )
    signed = builder.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def private_key(key_type: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """A new private key of ``ec-p256`` (0.1 ms) or ``rsa-2048`` (about 50 ms)."""
    if key_type == 'ec-p256':
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """The key as unencrypted PEM in the traditional form that kubeadm reads."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
