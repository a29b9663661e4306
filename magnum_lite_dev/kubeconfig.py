"""What a kubeconfig says, whether its certificate is one its authority gave, and its cluster."""

import base64
import http.client
import json
import pathlib
import ssl
import tempfile
import urllib.parse
from urllib.parse import SplitResult

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from magnum_lite_dev.trouble import Trouble

TIMEOUT_S = 10


def describe(path) -> list[str]:
    """Lines about the kubeconfig at ``path``: server, user, certificate.

    :raises Trouble: it is no kubeconfig, it names no server, or its certificate, key and
        authority do not fit.
    """
    path = pathlib.Path(path)
    try:
        config = yaml.safe_load(path.read_text())
        cluster = config['clusters'][0]['cluster']
        user = config['users'][0]['user']
        authority = x509.load_pem_x509_certificate(
            _material(path, cluster, 'certificate-authority')
        )
        certificate = x509.load_pem_x509_certificate(_material(path, user, 'client-certificate'))
        key = load_pem_private_key(_material(path, user, 'client-key'), None)
        certificate.verify_directly_issued_by(authority)
    except (
        OSError,
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        yaml.YAMLError,
        InvalidSignature,
    ) as error:
        raise Trouble(f'{path} cannot be used: {error!r}') from error
    if key.public_key() != certificate.public_key():
        raise Trouble(f'{path}: key and certificate do not belong together')
    _server(path, cluster)
    return [
        f'server       {cluster["server"]}',
        f'user         {certificate.subject.rfc4514_string()}',
        f'authority    {authority.subject.rfc4514_string()}, verified',
        f'valid until  {certificate.not_valid_after_utc:%Y-%m-%d}',
    ]


def nodes(path) -> list[str]:
    """Names of the cluster's nodes, as its API tells the user of the kubeconfig at ``path``.

    :raises Trouble: the API cannot be reached, or does not believe this user.
    """
    path = pathlib.Path(path)
    config = yaml.safe_load(path.read_text())
    cluster, user = config['clusters'][0]['cluster'], config['users'][0]['user']
    context = ssl.create_default_context(
        cadata=_material(path, cluster, 'certificate-authority').decode()
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(
            _material(path, user, 'client-certificate')
            + b'\n'
            + _material(path, user, 'client-key')
        )
        file.flush()
        context.load_cert_chain(file.name)
    server = _server(path, cluster)
    connection = http.client.HTTPSConnection(
        server.hostname, server.port, timeout=TIMEOUT_S, context=context
    )
    try:
        connection.request('GET', '/api/v1/nodes')
        reply = json.loads(connection.getresponse().read())
        return [node['metadata']['name'] for node in reply['items']]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise Trouble(f'{cluster["server"]} does not tell its nodes: {error!r}') from error
    finally:
        connection.close()


def _server(path, cluster) -> SplitResult:
    """The parts of the API's URL.

    :raises Trouble: there is no host in it, as where the cluster had no address yet.
    """
    try:
        server = urllib.parse.urlsplit(str(cluster['server']))
        if server.scheme == 'https' and server.hostname and server.port != 0:
            return server
    except ValueError:
        pass
    raise Trouble(
        f'{path} cannot be used: its server is {cluster["server"]}, and no URL such as '
        'https://192.0.2.7:6443'
    )


def _material(path, section, name) -> bytes:
    """The bytes of a certificate or key, inline or in a file beside the kubeconfig."""
    if f'{name}-data' in section:
        return base64.b64decode(section[f'{name}-data'])
    return (path.parent / section[name]).read_bytes()
