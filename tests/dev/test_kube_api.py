"""The Kubernetes API of simulated control planes, as a client with a certificate meets it."""

import base64
import datetime
import http.client
import json
import ssl
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite_dev.server import Server
from magnum_lite_dev.sim_cloud import SimCloud

CIDR = '127.77.77.0/24'
PORT = 16443


class Authority:
    """A certificate authority; ``certificate`` and ``key`` are PEM."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'kubernetes')])
        self.certificate = self._sign(self._key, self._name, is_ca=True)
        self.key = pem(self._key)

    def client(self, *names):
        """The PEM of a new certificate and its key for this subject."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._sign(
            key, x509.Name([x509.NameAttribute(oid, text) for oid, text in names]), is_ca=False
        ) + pem(key)

    def _sign(self, key, subject, *, is_ca):
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
            .decode()
        )


def pem(key):
    """A private key as text."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def cloud():
    cloud = SimCloud(signal_seconds=0.0, external_cidr=CIDR)
    server = Server(cloud, 0, name='cloud')
    cloud.url = server.url
    yield cloud
    for row in cloud.store.rows('servers'):
        cloud.nodes.stop(row)
    server.close()


def boot(cloud, name, files):
    """Boot a server on a network of its own; (its id, its floating IP) once it is up."""

    def post(path, **body):
        reply = requests.post(f'{cloud.url}/{path}', json=body, timeout=5)
        reply.raise_for_status()
        return next(iter(reply.json().values()))

    network = post('network/v2.0/networks', network={'name': name})
    given = {'network_id': network['id'], 'cidr': '10.9.0.0/24'}
    subnet = post('network/v2.0/subnets', subnet=given)
    port = post('network/v2.0/ports', port={'network_id': network['id']})
    public = next(iter(cloud.store.find('networks', name='public')))
    gateway = {'external_gateway_info': {'network_id': public['id']}}
    router = post('network/v2.0/routers', router=gateway)
    interface = f'{cloud.url}/network/v2.0/routers/{router["id"]}/add_router_interface'
    assert requests.put(interface, json={'subnet_id': subnet['id']}, timeout=5).ok
    floating = post(
        'network/v2.0/floatingips',
        floatingip={'floating_network_id': public['id'], 'port_id': port['id']},
    )
    entries = [{'path': path, 'content': text} for path, text in files.items()]
    user_data = f'#cloud-config\n{json.dumps({"write_files": entries})}'
    server = post(
        'compute/v2.1/servers',
        server={
            'name': name,
            'flavorRef': '1',
            'networks': [{'port': port['id']}],
            'user_data': base64.b64encode(user_data.encode()).decode(),
        },
    )
    until = time.monotonic() + 10
    while not cloud.store.get('servers', server['id'])['_is_up']:
        assert time.monotonic() < until
        time.sleep(0.02)
    return server['id'], floating['floating_ip_address']


def control_plane(cloud, authority):
    """Boot the control plane of that authority."""
    return boot(
        cloud,
        'control-plane-0',
        {
            '/etc/kubernetes/pki/ca.crt': authority.certificate,
            '/etc/kubernetes/pki/ca.key': authority.key,
            '/etc/magnum-lite/node.env': f"APISERVER_PORT='{PORT}'\nKUBE_TAG='v1.33.2'\n",
        },
    )


@pytest.fixture
def ask(authority, tmp_path):
    """A function that asks an address for a path: (status, body), the body parsed if it is JSON."""

    def ask(address, path, certificate=None, method='GET'):
        context = ssl.create_default_context(cadata=authority.certificate)
        if certificate:
            (tmp_path / 'client.pem').write_text(certificate)
            context.load_cert_chain(tmp_path / 'client.pem')
        connection = http.client.HTTPSConnection(address, PORT, timeout=5, context=context)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            text = reply.read().decode()
            is_json = reply.headers['Content-Type'] == 'application/json'
            return reply.status, json.loads(text) if is_json else text
        finally:
            connection.close()

    return ask


@pytest.fixture
def admin(authority):
    return authority.client(
        (NameOID.ORGANIZATION_NAME, 'system:masters'), (NameOID.COMMON_NAME, 'admin')
    )


def test_an_administrator_sees_the_nodes_of_this_cluster_and_their_pods(
    cloud, authority, ask, admin
):
    server, address = control_plane(cloud, authority)
    boot(cloud, 'worker-0', {'/etc/magnum-lite/ca.crt': authority.certificate})
    boot(cloud, 'stranger', {'/etc/magnum-lite/ca.crt': Authority().certificate})
    status, nodes = ask(address, '/api/v1/nodes?pretty=true', admin)
    assert (status, nodes['kind']) == (200, 'NodeList')
    assert [node['metadata']['name'] for node in nodes['items']] == ['control-plane-0', 'worker-0']
    told = nodes['items'][0]['status']
    assert {'type': 'ExternalIP', 'address': address} in told['addresses']
    assert told['nodeInfo']['kubeletVersion'] == 'v1.33.2'
    pods = ask(address, '/api/v1/pods', admin)[1]
    assert {pod['status']['phase'] for pod in pods['items']} == {'Running'}
    assert {pod['spec']['nodeName'] for pod in pods['items']} == {'control-plane-0', 'worker-0'}
    failed = ask(address, '/api/v1/pods?fieldSelector=status.phase!%3DRunning', admin)[1]
    assert failed['items'] == []
    of_worker = ask(
        address, '/api/v1/namespaces/kube-system/pods?fieldSelector=spec.nodeName%3Dworker-0', admin
    )[1]
    assert [pod['metadata']['name'] for pod in of_worker['items']] == ['kube-proxy-worker-0']


def test_who_is_no_administrator_learns_that_it_is_healthy_and_nothing_else(cloud, authority, ask):
    _, address = control_plane(cloud, authority)
    assert ask(address, '/readyz') == (200, 'ok')
    assert ask(address, '/version')[1]['gitVersion'] == 'v1.33.2'
    assert ask(address, '/api/v1/nodes')[0] == 401
    somebody = authority.client((NameOID.COMMON_NAME, 'somebody'))
    assert ask(address, '/api/v1/nodes', somebody)[0] == 403
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(address, '/readyz', Authority().client((NameOID.ORGANIZATION_NAME, 'system:masters')))


@pytest.mark.parametrize(
    ('method', 'path', 'status'),
    [
        ('GET', '/api/v1/secrets', 404),
        ('DELETE', '/api/v1/nodes', 405),
        ('GET', '/api/v1/nodes?labelSelector=a', 400),
        ('GET', '/api/v1/nodes?watch=1', 400),
    ],
)
def test_what_is_not_simulated_says_so(cloud, authority, ask, admin, method, path, status):
    _, address = control_plane(cloud, authority)
    got, body = ask(address, path, admin, method)
    assert (got, body['kind'], body['code']) == (status, 'Status', status)
    assert 'simulated' in body['message']


def test_the_api_ends_with_its_server(cloud, authority, ask):
    server, address = control_plane(cloud, authority)
    requests.delete(f'{cloud.url}/compute/v2.1/servers/{server}', timeout=5).raise_for_status()
    with pytest.raises(ConnectionError):
        ask(address, '/readyz')


def test_the_api_is_there_again_after_a_restart(cloud, authority, ask, admin, tmp_path):
    server, address = control_plane(cloud, authority)
    cloud.store.save(tmp_path / 'cloud.json')
    cloud.nodes.stop(cloud.store.get('servers', server))
    again = SimCloud()
    again.store.load(tmp_path / 'cloud.json')
    again.nodes.resume()
    status, nodes = ask(address, '/api/v1/nodes', admin)
    assert [node['metadata']['name'] for node in nodes['items']] == ['control-plane-0']
    again.nodes.stop(again.store.get('servers', server))


def test_addresses_that_are_not_of_this_machine_are_left_alone(authority):
    cloud = SimCloud(signal_seconds=0.0)
    server = Server(cloud, 0, name='cloud')
    cloud.url = server.url
    assert control_plane(cloud, authority)[1].startswith('203.')
    server.close()
