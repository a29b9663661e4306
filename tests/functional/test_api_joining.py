"""The certificates by which nodes join their cluster, signed when they enrol."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from magnum_lite.db import store
from magnum_lite.driver_sdk import enrolment
from magnum_lite.objects import Certificate, Cluster
from tests.functional.authorities import write_authorities
from tests.functional.enrolling import make

CROSS = 'the new one, signed by the old one'


@pytest.fixture
def api(reached):
    """The service, with a worker and the Kubernetes driver, at the URL that nodes know."""
    return reached


@pytest.fixture
def cluster(api, project):
    """Uuid of a complete cluster."""
    return make(api, project)


def test_a_worker_is_given_a_certificate_to_join_by_and_nothing_else(api, heat, project, cluster):
    worker = next(
        row
        for row in heat.state()['servers'].values()
        if 'worker' in row['name'] and row['tenant_id'] == project
    )
    given = worker['_secrets']
    assert set(given) == {enrolment.JOIN_CERTIFICATE, enrolment.JOIN_KEY, 'ca.kubernetes.trusted'}
    certificate = x509.load_pem_x509_certificate(given[enrolment.JOIN_CERTIFICATE].encode())
    key = serialization.load_pem_private_key(given[enrolment.JOIN_KEY].encode(), None)
    assert certificate.public_key() == key.public_key()
    assert (
        certificate.subject.rfc4514_string()
        == f'CN=node-{worker["id"]},O=system:bootstrappers:kubeadm:default-node-token'
    )
    with api.db.read() as connection:
        (ca,) = store.rows(connection, Certificate, cluster_id=cluster, purpose='kubernetes')
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(ca.pem.encode()))
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    assert 0 < left.total_seconds() <= 3600
    use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(use) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_node_of_before_new_authorities_is_given_what_fits_their_keys(
    api, heat, project, cluster
):
    """Its user data has the certificate that signed when it was made."""
    api.db.write(
        write_authorities,
        api.application.service.vault,
        cluster,
        purposes=['kubernetes'],
        generation=2,
    )
    api.db.write(store.update, Cluster, {'ca_generation': 2}, uuid=cluster)
    api.db.write(store.update, Certificate, {'cross_pem': CROSS}, cluster_id=cluster, generation=2)
    for row in heat.state()['servers'].values():
        if row['tenant_id'] == project:
            found = api.ok(
                'POST',
                '/v1/enrolments',
                {  # the answer was lost
                    'cluster': cluster,
                    'server': row['id'],
                    'proof': row['_proof'],
                },
                token=None,
            )['secrets']
            new, old = x509.load_pem_x509_certificates(found['ca.kubernetes.trusted'].encode())
            assert new.serial_number != old.serial_number
            if 'master' in row['name']:
                key = serialization.load_pem_private_key(found['ca.kubernetes.key'].encode(), None)
                signs = x509.load_pem_x509_certificate(found['ca.kubernetes.cert'].encode())
                assert signs == new and signs.public_key() == key.public_key()
                assert found['ca.kubernetes.cross'] == f'{CROSS}\n'
            else:
                mine = x509.load_pem_x509_certificate(found[enrolment.JOIN_CERTIFICATE].encode())
                mine.verify_directly_issued_by(new)


def test_the_journal_tells_of_each_certificate_to_join_by(api, heat, project, cluster):
    worker = next(
        row
        for row in heat.state()['servers'].values()
        if 'worker' in row['name'] and row['tenant_id'] == project
    )
    body = {'cluster': cluster, 'server': worker['id'], 'proof': worker['_proof']}
    again = api.ok('POST', '/v1/enrolments', body, token=None)['secrets']  # its answer was lost
    path, token = f'/v1/clusters/{cluster}/operations', f'alice:{project}'
    operation = api.ok('GET', path, token=token)['operations'][0]['uuid']
    told = [
        step['text']
        for step in api.ok('GET', f'{path}/{operation}', token=token)['steps']
        if 'authority sign' in step['text']
    ]
    for given in (worker['_secrets'], again):
        certificate = x509.load_pem_x509_certificate(given[enrolment.JOIN_CERTIFICATE].encode())
        assert told.pop(0) == (
            f'server {worker["id"]} had the kubernetes authority sign certificate '
            f'{certificate.serial_number:x} for "CN=node-{worker["id"]},'
            'O=system:bootstrappers:kubeadm:default-node-token", valid until '
            f'{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}'
        )
    assert told == []
