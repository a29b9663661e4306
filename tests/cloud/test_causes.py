"""What a real cloud refuses ends in a FAILED that names the cause."""

import time
import uuid

import pytest
import sqlalchemy as sa

from magnum_lite_dev.openstack import seed

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning'),
]


def resized(owner, cluster, count):
    """The reason why a resize fails, and that of its operation."""
    owner('POST', f'/clusters/{cluster}/actions/resize', 202, {'node_count': count})
    return owner.wait(cluster, 'UPDATE_FAILED')['status_reason']


def test_a_quota_of_nova_that_is_exceeded(owner, admin):
    project = owner.session.get_project_id()
    admin.compute.update_quota_set(project, instances=2)
    cluster = owner.create(owner.template(), node_count=2)
    shown = owner.wait(cluster, 'CREATE_FAILED')
    assert 'Quota exceeded for instances' in shown['status_reason']
    admin.compute.update_quota_set(project, instances=10)
    owner('DELETE', f'/clusters/{cluster}', 204)
    owner.gone(cluster)


def test_a_flavor_that_is_missing_when_a_group_grows(owner, admin):
    flavor = admin.compute.create_flavor(name=f'f-{uuid.uuid4()}', ram=512, vcpus=1, disk=1)
    cluster = owner.create(owner.template(flavor_id=flavor.name), node_count=1)
    owner.wait(cluster)
    admin.compute.delete_flavor(flavor)
    assert flavor.name in resized(owner, cluster, 2)


def test_an_image_that_was_deleted_meanwhile(owner, admin):
    name = f'i-{uuid.uuid4()}'
    image = seed.add_image(admin, name, os_distro='debian')
    cluster = owner.create(owner.template(image_id=name), node_count=1)
    owner.wait(cluster)
    admin.image.delete_image(image)
    reason = resized(owner, cluster, 2)
    assert image in reason or name in reason


@pytest.fixture
def out_of_time(openstack):
    """A function that lets the time of a cluster's operation be up: it has a quarter of an hour."""
    engine = sa.create_engine(openstack.database)

    def end(cluster):
        change = 'UPDATE operations SET deadline_at = created_at WHERE cluster_id = :cluster'
        with engine.begin() as connection:
            connection.execute(sa.text(change), {'cluster': cluster})

    yield end
    engine.dispose()


def journal(owner, cluster):
    """What the last operation of a cluster tells, as one text."""
    operations = f'/clusters/{cluster}/operations'
    last = owner('GET', operations, 200)['operations'][-1]['uuid']
    shown = owner('GET', f'{operations}/{last}', 200)
    return '\n'.join(step['text'] for step in shown['steps'])


def test_a_port_that_is_in_use_when_its_network_goes(owner, out_of_time):
    cluster = owner.create(owner.template(), node_count=0)
    owner.wait(cluster)
    (network,) = owner.cloud.network.networks(is_router_external=False)
    port = owner.cloud.network.create_port(network_id=network.id)
    (subnet,) = network.subnet_ids
    owner('DELETE', f'/clusters/{cluster}', 204)
    until = time.monotonic() + 200
    while subnet not in journal(owner, cluster):
        assert time.monotonic() < until, journal(owner, cluster)
        time.sleep(0.5)
    out_of_time(cluster)
    reason = owner.wait(cluster, 'DELETE_FAILED')['status_reason']
    assert f'{subnet}: One or more ports have an IP allocation' in reason
    owner.cloud.network.delete_port(port)
    owner('DELETE', f'/clusters/{cluster}', 204)
    owner.gone(cluster)
    assert owner.leftovers() == {}
