"""Which requests are too weak, or too much work, to be signed."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from magnum_lite.exceptions import Invalid

MAX_LENGTH = 65536
MAX_SUBJECT = 1000  # characters, as RFC 4514 writes it: the journal has all of them
_RSA_BITS = (2048, 8192)  # longer ones take seconds to verify
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_KEYS = 'RSA of 2048 to 8192 bits, EC P-256, P-384 or P-521, or Ed25519'


def check(request: x509.CertificateSigningRequest) -> None:
    """Look at key, digest and subject, before anything is computed with them.

    :raises Invalid: what is wrong, and what would be accepted.
    """
    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        is_strong = _RSA_BITS[0] <= key.key_size <= _RSA_BITS[1]
        found = f'RSA of {key.key_size} bits'
    elif isinstance(key, ec.EllipticCurvePublicKey):
        is_strong, found = isinstance(key.curve, _CURVES), f'EC {key.curve.name}'
    else:
        is_strong = isinstance(key, ed25519.Ed25519PublicKey)
        found = type(key).__name__.removesuffix('PublicKey')
    if not is_strong:
        raise Invalid(path='csr', reason=f'its key is {found}; accepted are {_KEYS}')
    digest = request.signature_hash_algorithm  # None for Ed25519, which has its own
    if digest is not None and not isinstance(digest, _DIGESTS):
        raise Invalid(
            path='csr',
            reason=f'it is signed with {digest.name}; accepted are SHA-256, SHA-384 and SHA-512',
        )
    length = len(request.subject.rfc4514_string())
    if length > MAX_SUBJECT:
        raise Invalid(
            path='csr',
            reason=f'its subject has {length} characters, at most {MAX_SUBJECT} are accepted',
        )
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not any(str(name.value).strip() for name in names) and not _has_names(request):
        raise Invalid(
            path='csr',
            reason='its subject has no common name (CN), and it has no subject alternative name',
        )


def _has_names(request: x509.CertificateSigningRequest) -> bool:
    return any(
        isinstance(extension.value, x509.SubjectAlternativeName) for extension in request.extensions
    )
