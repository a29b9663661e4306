"""The simulated cloud as the OpenStack SDK sees it."""

import contextlib
import time

import openstack
import openstack.exceptions
import pytest
import requests
from keystoneauth1 import session, token_endpoint

from magnum_lite_dev.server import Server
from magnum_lite_dev.sim_cloud import SimCloud
from magnum_lite_dev.sim_cloud.store import Store

# The SDK announces changes of its own that concern nobody here.
pytestmark = [
    pytest.mark.filterwarnings(f'ignore::openstack.warnings.RemovedInSDK{number}Warning')
    for number in (50, 60)
]


@contextlib.contextmanager
def serving(cloud):
    """The URL of a simulated cloud while it is served."""
    server = Server(cloud, 0, name='cloud')
    try:
        yield server.url
    finally:
        server.close()


def connect(url, who='alice:blue'):
    """An SDK connection without Keystone, as the service makes it."""
    return openstack.connection.Connection(
        session=session.Session(token_endpoint.Token(url, who)),
        compute_endpoint_override=f'{url}/compute/v2.1',
        network_endpoint_override=f'{url}/network',
        image_endpoint_override=f'{url}/image',
    )


@pytest.fixture(scope='module')
def url():
    with serving(SimCloud()) as url:
        yield url


@pytest.fixture
def sdk(url):
    return connect(url)


def test_an_image_tells_its_distribution(sdk):
    assert sdk.image.find_image('debian-13').os_distro == 'debian'
    assert sdk.image.find_image('ubuntu-24.04').os_distro == 'ubuntu'
    assert sdk.image.find_image('cirros').os_distro is None
    assert sdk.image.find_image('no-such-image') is None


def test_flavors_are_found_by_name_and_by_id(sdk):
    flavor = sdk.compute.find_flavor('m1.small')
    assert sdk.compute.find_flavor(flavor.id).name == 'm1.small'
    assert flavor.disk == 20
    assert sdk.compute.find_flavor('m1.huge') is None


def test_the_external_network_is_told_from_others(sdk):
    public = sdk.network.find_network('public')
    assert public.is_router_external
    inner = sdk.network.create_network(name='inner')
    assert not sdk.network.find_network('inner').is_router_external
    assert [each.name for each in sdk.network.networks(is_router_external=True)] == ['public']
    assert sdk.network.find_subnet('public-v4').network_id == public.id
    sdk.network.delete_network(inner)


def test_every_user_has_the_demo_key_and_nobody_sees_the_keys_of_others(url):
    alice, bob = connect(url), connect(url, 'bob:red')
    assert bob.compute.find_keypair('demo').public_key.startswith('ssh-ed25519 ')
    made = alice.compute.create_keypair(name='mine')
    assert 'OPENSSH PRIVATE KEY' in made.private_key
    assert alice.compute.find_keypair('mine').public_key == made.public_key
    assert bob.compute.find_keypair('mine') is None
    with pytest.raises(openstack.exceptions.ConflictException):
        alice.compute.create_keypair(name='mine')
    alice.compute.delete_keypair('mine')
    assert alice.compute.find_keypair('mine') is None


@pytest.mark.parametrize(
    ('headers', 'made', 'deleted', 'is_typed'),
    [
        ({}, 200, 202, False),
        ({'OpenStack-API-Version': 'compute 2.2'}, 201, 204, True),
        ({'X-OpenStack-Nova-API-Version': 'latest'}, 201, 204, True),
    ],
)
def test_a_key_pair_is_answered_in_the_microversion_asked_for(
    url, headers, made, deleted, is_typed
):
    keys = f'{url}/compute/v2.1/os-keypairs'
    reply = requests.post(keys, json={'keypair': {'name': 'k'}}, headers=headers, timeout=5)
    assert (reply.status_code, 'type' in reply.json()['keypair']) == (made, is_typed)
    assert requests.delete(f'{keys}/k', headers=headers, timeout=5).status_code == deleted


def test_a_network_with_ports_cannot_be_deleted(sdk):
    network = sdk.network.create_network(name='busy')
    sdk.network.create_subnet(network_id=network.id, cidr='10.9.0.0/24', ip_version=4)
    port = sdk.network.create_port(network_id=network.id)
    with pytest.raises(openstack.exceptions.ConflictException, match='ports still in use'):
        sdk.network.delete_network(network)
    sdk.network.delete_port(port)
    sdk.network.delete_network(network)
    assert sdk.network.find_network('busy') is None


def test_a_server_builds_for_a_while_and_takes_its_port_along(url):
    sdk = connect(url)
    network = sdk.network.create_network(name='yard')
    sdk.network.create_subnet(network_id=network.id, cidr='10.8.0.0/24', ip_version=4)
    requests.post(f'{url}/sim/settings', json={'build_seconds': 0.4}, timeout=5)
    server = sdk.compute.create_server(
        name='slow',
        flavor_id='1',
        image_id=sdk.image.find_image('debian-13').id,
        networks=[{'uuid': network.id}],
    )
    assert sdk.compute.get_server(server.id).status == 'BUILD'
    time.sleep(0.5)
    shown = sdk.compute.get_server(server.id)
    assert shown.status == 'ACTIVE'
    assert shown.addresses['yard'][0]['addr'].startswith('10.8.0.')
    sdk.compute.delete_server(server)
    assert sdk.compute.find_server('slow') is None
    assert list(sdk.network.ports(network_id=network.id)) == []
    sdk.network.delete_network(network)


@pytest.mark.parametrize(
    ('fault', 'words'),
    [
        ({'kind': 'no_valid_host'}, 'No valid host'),
        ({'kind': 'boot_error', 'message': 'the disk is full'}, 'the disk is full'),
    ],
)
def test_a_server_fails_as_ordered(url, fault, words):
    sdk = connect(url)
    requests.post(f'{url}/sim/faults', json={**fault, 'match': 'doomed*', 'times': 1}, timeout=5)
    boot = {'flavor_id': '1', 'image_id': sdk.image.find_image('debian-13').id, 'networks': []}
    doomed = sdk.compute.create_server(name='doomed-0', **boot)
    shown = sdk.compute.get_server(doomed.id)
    assert shown.status == 'ERROR'
    assert words in shown.fault['message']
    second = sdk.compute.create_server(name='doomed-1', **boot)
    assert sdk.compute.get_server(second.id).status != 'ERROR'
    for server in (doomed, second):
        sdk.compute.delete_server(server)


def test_requests_fail_as_ordered_until_the_fault_is_taken_back(url):
    requests.post(
        f'{url}/sim/faults',
        timeout=5,
        json={'kind': 'http', 'match': 'GET /image/*', 'status': 503, 'message': 'out to lunch'},
    )
    reply = requests.get(f'{url}/image/v2/images', timeout=5)
    assert (reply.status_code, 'out to lunch' in reply.text) == (503, True)
    requests.delete(f'{url}/sim/faults', timeout=5)
    assert requests.get(f'{url}/image/v2/images', timeout=5).status_code == 200


@pytest.mark.parametrize('fault', [{'kind': 'gremlins'}, {'kind': 'slow', 'speed': 3}, {}])
def test_a_misspelt_fault_is_refused(url, fault):
    assert requests.post(f'{url}/sim/faults', json=fault, timeout=5).status_code == 400


def test_user_data_above_the_limit_of_nova_is_refused(sdk):
    with pytest.raises(openstack.exceptions.BadRequestException, match='65535'):
        sdk.compute.create_server(
            name='fat',
            flavor_id='1',
            networks=[],
            image_id=sdk.image.find_image('debian-13').id,
            user_data='A' * 65536,
        )


def test_what_is_not_simulated_says_so(url):
    for path in ('compute/v2.1/os-agents', 'image/v2/tasks', 'tape/v1'):
        reply = requests.get(f'{url}/{path}', timeout=5)
        assert (reply.status_code, 'simulated' in reply.text) == (404, True)


def test_the_keys_of_the_simulation_are_not_shown(url):
    network = connect(url).network.find_network('public')
    floating = requests.post(
        f'{url}/network/v2.0/floatingips',
        timeout=5,
        json={'floatingip': {'floating_network_id': network.id}},
    ).json()['floatingip']
    assert [key for key in floating if key.startswith('_')] == []
    kept = requests.get(f'{url}/sim/state', timeout=5).json()['floatingips'][floating['id']]
    assert kept['_port']


def test_the_cloud_is_the_same_after_a_restart(tmp_path):
    store = Store()
    store.put('networks', {'id': 'n1', 'name': 'kept', 'subnets': []})
    first = store.allocate_address(store.rows('subnets')[0]['id'])
    store.save(tmp_path / 'cloud.json')
    again = Store()
    again.load(tmp_path / 'cloud.json')
    assert again.get('networks', 'n1')['name'] == 'kept'
    assert again.allocate_address(again.rows('subnets')[0]['id']) != first


def test_a_port_made_for_a_server_is_in_the_groups_of_the_server(sdk):
    network = sdk.network.create_network(name='guarded')
    sdk.network.create_subnet(network_id=network.id, cidr='10.9.0.0/24', ip_version=4)
    group = sdk.network.create_security_group(name='guard')
    server = sdk.compute.create_server(
        name='guarded',
        image_id=sdk.image.find_image('debian-13').id,
        flavor_id=sdk.compute.find_flavor('m1.small').id,
        networks=[{'uuid': network.id}],
        security_groups=[{'name': group.id}],
    )
    (port,) = sdk.network.ports(device_id=server.id)
    assert port.security_group_ids == [group.id]


def test_the_same_rule_twice_is_refused(sdk):
    group = sdk.network.create_security_group(name='twice')
    rule = {
        'security_group_id': group.id,
        'direction': 'ingress',
        'protocol': 'tcp',
        'port_range_min': 22,
        'port_range_max': 22,
        'remote_ip_prefix': '192.0.2.0/24',
    }
    sdk.network.create_security_group_rule(**rule)
    with pytest.raises(openstack.exceptions.ConflictException, match='already exists'):
        sdk.network.create_security_group_rule(**rule)
