"""The authorities of a cluster: what is shown, and what they sign."""

import datetime
import json
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from magnum_lite.db import store
from magnum_lite.objects import Certificate, Cluster
from tests.functional.authorities import NAME, ca, csr, make_cluster, named, sign, write_authorities


@pytest.fixture
def cluster(api):
    """A cluster with its authorities."""
    return make_cluster(api)


@pytest.mark.parametrize('status', ['CREATE_COMPLETE', 'CREATE_FAILED', 'UPDATE_IN_PROGRESS'])
def test_a_cluster_that_gets_no_authorities_says_so(api, status):
    uuid = api.cluster(api.template())
    api.settle(uuid, status)
    for kind in ('', '?ca_cert_type=etcd'):
        title = api.refused(400, 'GET', f'/v1/certificates/{uuid}{kind}')['title']
        assert 'has no certificate authorities' in title and 'yet' not in title
    api.refused(400, 'POST', '/v1/certificates', {'cluster_uuid': uuid, 'csr': csr()})


def test_a_cluster_without_an_address_has_nobody_to_configure_for(api, cluster):
    api.db.write(store.update, Cluster, {'api_address': None}, uuid=cluster)
    for ask in (
        ('GET', f'/v1/certificates/{cluster}'),
        ('POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': csr()}),
    ):
        title = api.refused(409, *ask)['title']
        assert f'{cluster} is being created and its API has no address yet' in title
    # Terraform asks at each look, also before it deletes what failed.
    for status in ('CREATE_FAILED', 'DELETE_IN_PROGRESS', 'DELETE_FAILED'):
        api.settle(cluster, status)
        sign(api, cluster, csr()).verify_directly_issued_by(ca(api, cluster))


def test_an_authority_that_the_driver_has_not_is_not_to_come(api, cluster):
    api.db.write(store.delete, Certificate, cluster_id=cluster, purpose='etcd')
    title = api.refused(400, 'GET', f'/v1/certificates/{cluster}?ca_cert_type=etcd')['title']
    assert title.endswith('has no etcd certificate authority, it has front_proxy, kubernetes')


def test_users_mean_the_authority_that_the_driver_names_first(api):
    uuid = api.cluster(api.template())
    vault = api.application.service.vault
    api.db.write(write_authorities, vault, uuid, purposes=('engine', 'a', 'kubernetes'))
    api.settle(uuid, 'CREATE_COMPLETE')
    assert ca(api, uuid).subject.rfc4514_string() == 'CN=engine'
    sign(api, uuid, csr()).verify_directly_issued_by(ca(api, uuid))


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


@pytest.mark.parametrize('kind', ['', '?ca_cert_type=etcd'])
@pytest.mark.parametrize('signs', [1, 2])
def test_while_authorities_are_replaced_clients_are_told_of_both(api, cluster, signs, kind):
    """Servers have a certificate of either in each stage. That which signs comes first."""
    old = api.ok('GET', f'/v1/certificates/{cluster}{kind}')['pem']
    api.db.write(write_authorities, api.application.service.vault, cluster, generation=2)
    api.db.write(store.update, Cluster, {'ca_generation': signs}, uuid=cluster)
    pem = api.ok('GET', f'/v1/certificates/{cluster}{kind}')['pem']
    found = x509.load_pem_x509_certificates(pem.encode())
    trusting = ssl.create_default_context(cadata=pem).get_ca_certs()
    assert len(found) == len(trusting) == 2
    assert old == found[signs - 1].public_bytes(serialization.Encoding.PEM).decode().strip()
    more = {'ca_cert_type': 'etcd'} if kind else {}
    sign(api, cluster, csr(), **more).verify_directly_issued_by(found[0])


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


@pytest.mark.parametrize('asked, days', [({}, 365), ({'days': 2}, 2), ({'days': 365}, 365)])
def test_a_certificate_lives_a_year_or_as_long_as_asked(api, asked, days):
    cluster = api.cluster(api.template())
    api.db.write(
        write_authorities,
        api.application.service.vault,
        cluster,
        purposes=['kubernetes'],
        days=1825,
    )
    api.settle(cluster)
    left = sign(api, cluster, csr(), **asked).not_valid_after_utc - datetime.datetime.now(
        datetime.UTC
    )
    assert datetime.timedelta(days - 1) < left <= datetime.timedelta(days)


@pytest.mark.parametrize('days', [0, -1, 366, 2**31, 'x'])
def test_days_that_nobody_may_have_are_refused(api, cluster, days):
    error = api.refused(
        400, 'POST', '/v1/certificates', {'cluster_uuid': cluster, 'csr': csr(), 'days': days}
    )
    assert error['title'].startswith('Invalid input for days: ')
    assert error['title'].endswith(f', not {json.dumps(days)}')


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


def test_a_deleted_cluster_has_no_certificate(api, cluster):
    api.ok('DELETE', f'/v1/clusters/{cluster}')
    assert ca(api, cluster)
    api.db.write(lambda connection: connection.exec_driver_sql('DELETE FROM clusters'))
    api.refused(404, 'GET', f'/v1/certificates/{cluster}')
    assert api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][-1]['kind'] == 'delete'
    api.refused(404, 'GET', f'/v1/clusters/{cluster}/operations', token='bob:green')
