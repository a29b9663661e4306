"""Clusters that have their authorities, and requests to be signed by them."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite.certs import authority
from magnum_lite.db import store
from magnum_lite.objects import Certificate, Cluster

NAME = [x509.NameAttribute(NameOID.COMMON_NAME, 'admin')]
PURPOSES = ('kubernetes', 'etcd', 'front_proxy')


def write_authorities(connection, vault, cluster, *, purposes=PURPOSES, days=10, generation=1):
    """What the conductor does before it builds."""
    for purpose in purposes:
        made = authority.make(purpose, key_type='ec-p256', days=days)
        store.insert(
            connection,
            Certificate.new(
                cluster_id=cluster,
                purpose=purpose,
                pem=made.pem,
                not_after=made.not_after,
                generation=generation,
                key_ref=vault.write(
                    connection, cluster, f'ca.{purpose}.key.{generation}', made.key
                ),
            ),
        )


def make_cluster(api):
    """Uuid of a new cluster with its authorities and an address."""
    uuid = api.cluster(api.template())
    api.db.write(write_authorities, api.application.service.vault, uuid)
    api.db.write(store.update, Cluster, {'api_address': 'https://192.0.2.7:6443'}, uuid=uuid)
    return uuid


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


def named(subject, key, digest=None):
    """A request of a subject, PEM."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM).decode()
