"""Signing what users ask for with the authority of their cluster (contract 4.8)."""

import datetime
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from magnum_lite.certs import strength
from magnum_lite.certs.authority import DAY
from magnum_lite.exceptions import Conflict, Invalid

# Extensions that are taken over as they are.
_KEPT = (x509.ExtendedKeyUsage, x509.SubjectAlternativeName)
_USAGES = ('digital_signature', 'key_encipherment', 'content_commitment')
_OTHER_USAGES = ('data_encipherment', 'key_agreement', 'key_cert_sign', 'crl_sign')


def sign(csr_pem: str, ca_pem: str, ca_key_pem: str, *, days: int) -> x509.Certificate:
    """A certificate for a request.

    Valid from yesterday, so that clocks may differ, for ``days``, never beyond its authority.

    :raises Invalid: no request, a weak one, or one with a critical extension that users may not
        ask for.
    :raises Conflict: the authority has expired.
    """
    request = _read(csr_pem)
    ca = x509.load_pem_x509_certificate(ca_pem.encode())
    key: Any = serialization.load_pem_private_key(ca_key_pem.encode(), None)
    today = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    if ca.not_valid_after_utc <= today:
        raise Conflict(reason='The certificate authority has expired, rotate it')
    public_key = request.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(ca.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - DAY)
        .not_valid_after(min(today + days * DAY, ca.not_valid_after_utc))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    )
    for value, critical in _extensions(request):
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(key, hashes.SHA256())


def described(certificate: x509.Certificate) -> str:
    """Serial, subject and end, in words.

    The whole subject: it says who its owner is in the cluster, and may say it at any place.
    """
    subject = ''.join(
        character if character.isprintable() else '?'
        for character in certificate.subject.rfc4514_string()
    )
    return (
        f'certificate {certificate.serial_number:x} for "{subject}", valid until '
        f'{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}'
    )


def _read(csr_pem: str) -> x509.CertificateSigningRequest:
    if len(csr_pem) > strength.MAX_LENGTH:
        raise Invalid(path='csr', reason=f'it is longer than {strength.MAX_LENGTH} characters')
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        list(request.extensions)  # read here: a broken one is the user's mistake too
        list(request.subject)
        strength.check(request)
        if request.is_signature_valid:
            return request
    except (
        ValueError,
        TypeError,
        UnsupportedAlgorithm,
        InvalidSignature,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise Invalid(path='csr', reason='it cannot be read as a certificate request') from error
    raise Invalid(path='csr', reason='its signature is not that of its key')


def _extensions(request: x509.CertificateSigningRequest) -> list[tuple[x509.ExtensionType, bool]]:
    """``[(extension, whether it is critical)]`` of what the certificate gets of the request's."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    for extension in request.extensions:
        value: Any = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            continue  # replaced by the real one
        change = _CHANGES.get(type(value))
        if isinstance(value, _KEPT):
            found.append((value, extension.critical))
        elif change:
            allowed = change(value)
            if allowed != value and extension.critical:
                raise _forbidden(extension)
            if allowed:
                found.append((allowed, extension.critical))
        elif extension.critical:
            raise _forbidden(extension)
    return found


def _usage(value: x509.KeyUsage) -> x509.KeyUsage | None:
    """The usages that users may ask for; None when nothing is left."""
    kept = {name: getattr(value, name) for name in _USAGES}
    if not any(kept.values()):
        return None
    return x509.KeyUsage(
        **kept, **dict.fromkeys(_OTHER_USAGES, False), encipher_only=False, decipher_only=False
    )


def _no_authority(value: x509.BasicConstraints) -> x509.BasicConstraints:
    return x509.BasicConstraints(ca=False, path_length=None)


_CHANGES: dict[type[x509.ExtensionType], Callable[[Any], Any]] = {
    x509.KeyUsage: _usage,
    x509.BasicConstraints: _no_authority,
}


def _forbidden(extension: x509.Extension[x509.ExtensionType]) -> Invalid:
    return Invalid(
        path='csr',
        reason=f'the critical extension {extension.oid.dotted_string} is not allowed as it is',
    )
