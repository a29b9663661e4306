"""openstacksdk's own proxy for this service, over HTTP, with a conductor and a real Heat."""

import openstack
import pytest
from keystoneauth1 import session as ksa
from keystoneauth1 import token_endpoint
from openstack import exceptions as sdk_exc

from magnum_lite_dev.server import Server
from tests.functional.authorities import csr
from tests.functional.test_api_clients import api

__all__ = ['api']


@pytest.fixture
def connect(api):
    """A function from a token to the SDK's proxy."""
    server = Server(api.application, 0, name='api')
    sessions = []

    def proxy(token):
        session = ksa.Session(auth=token_endpoint.Token(f'{server.url}/v1', token))
        sessions.append(session)
        return openstack.connection.Connection(session=session).container_infrastructure_management

    yield proxy
    for session in sessions:
        session.session.close()
    server.close()


def test_a_cluster_by_the_sdk(connect):
    magnum = connect('alice:red')
    template = magnum.create_cluster_template(
        name='sdk',
        coe='kubernetes',
        image_id='debian-13',
        flavor_id='m1.small',
        master_flavor_id='m1.small',
        keypair_id='demo',
        labels={'kube_tag': 'v1.36.1'},
    )
    assert magnum.find_cluster_template('sdk', ignore_missing=False).uuid == template.uuid
    with pytest.raises(sdk_exc.NotFoundException):
        magnum.find_cluster_template('none', ignore_missing=False)
    assert [found.name for found in magnum.cluster_templates()] == ['sdk']
    template = magnum.get_cluster_template(template.id)
    magnum.update_cluster_template(template, docker_volume_size=4, labels={'kube_tag': 'v1.36.2'})
    template = magnum.get_cluster_template('sdk')
    assert (template.docker_volume_size, template.labels) == (4, {'kube_tag': 'v1.36.2'})
    magnum.update_cluster_template(template, docker_volume_size=None)
    assert magnum.get_cluster_template('sdk').docker_volume_size is None

    made = magnum.create_cluster(
        name='sdk', cluster_template_id=template.id, node_count=1, create_timeout=30
    )
    magnum.create_cluster(name='other', cluster_template_id=template.id)
    assert sorted(found.name for found in magnum.clusters(limit=1)) == ['other', 'sdk']
    cluster = magnum.find_cluster('sdk', ignore_missing=False)
    assert cluster.uuid == made.uuid and cluster.create_timeout == 30
    with pytest.raises(sdk_exc.NotFoundException):
        magnum.find_cluster('none', ignore_missing=False)
    cluster = magnum.wait_for_status(
        cluster, 'CREATE_COMPLETE', ['CREATE_FAILED'], interval=0.2, wait=120
    )
    assert cluster.api_address and cluster.stack_id and cluster.is_floating_ip_enabled

    _certificates(magnum, cluster)
    magnum.update_cluster(cluster, node_count=2)
    cluster = magnum.wait_for_status(
        magnum.get_cluster('sdk'), 'UPDATE_COMPLETE', interval=0.2, wait=120
    )
    assert cluster.node_count == 2
    for name in ('sdk', 'other'):
        found = magnum.find_cluster(name, ignore_missing=False)
        magnum.delete_cluster(found.id)
        magnum.wait_for_delete(found, interval=0.2, wait=120)
    magnum.delete_cluster_template(template)
    assert list(magnum.clusters()) == list(magnum.cluster_templates()) == []
    magnum.delete_cluster('sdk')
    with pytest.raises(sdk_exc.NotFoundException):
        magnum.delete_cluster('sdk', ignore_missing=False)


def _certificates(magnum, cluster):
    authority = magnum.get_cluster_certificate(cluster.id)
    assert authority.pem.startswith('-----BEGIN CERTIFICATE-----')
    made = magnum.create_cluster_certificate(cluster_uuid=cluster.id, csr=csr())
    assert made.pem.startswith('-----BEGIN CERTIFICATE-----') and made.pem != authority.pem


def test_services_by_the_sdk(connect):
    (service,) = connect('root:blue:admin').services()
    assert (service.binary, service.state) == ('magnum-conductor', 'up')
    with pytest.raises(sdk_exc.ForbiddenException):
        list(connect('alice:red').services())
