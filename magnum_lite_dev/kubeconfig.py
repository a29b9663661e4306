"""What a kubeconfig says, and whether its certificate is one its authority gave."""
import base64
import pathlib

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from magnum_lite_dev.trouble import Trouble


def describe(path):
    """Lines about the kubeconfig at ``path``: server, user, certificate.

    :raises Trouble: it is no kubeconfig, or its certificate, key and authority do not fit.
    """
    path = pathlib.Path(path)
    try:
        config = yaml.safe_load(path.read_text())
        cluster = config['clusters'][0]['cluster']
        user = config['users'][0]['user']
        authority = x509.load_pem_x509_certificate(
            _material(path, cluster, 'certificate-authority'))
        certificate = x509.load_pem_x509_certificate(_material(path, user, 'client-certificate'))
        key = load_pem_private_key(_material(path, user, 'client-key'), None)
        certificate.verify_directly_issued_by(authority)
    except (OSError, KeyError, IndexError, TypeError, ValueError, yaml.YAMLError,
            InvalidSignature) as error:
        raise Trouble(f'{path} cannot be used: {error!r}') from error
    if key.public_key() != certificate.public_key():
        raise Trouble(f'{path}: key and certificate do not belong together')
    return [f'server       {cluster["server"]}',
            f'user         {certificate.subject.rfc4514_string()}',
            f'authority    {authority.subject.rfc4514_string()}, verified',
            f'valid until  {certificate.not_valid_after_utc:%Y-%m-%d}']


def _material(path, section, name):
    """The bytes of a certificate or key, inline or in a file beside the kubeconfig."""
    if f'{name}-data' in section:
        return base64.b64decode(section[f'{name}-data'])
    return (path.parent / section[name]).read_bytes()
