"""Servers that boot: user data, metadata, networks, what is let through and what is not."""

import json
import socket
import subprocess

import pytest

from tests.dev.tenant import Tenant, wait_for
from tests.dev.test_kube_api import Authority

pytestmark = pytest.mark.nodes

USER_DATA = """#!/bin/bash
# Byte for byte: ä $(touch /hacked) 'quotes'
set -x
echo once >> /var/tmp/ran
curl -sS -m 5 http://169.254.169.254/latest/meta-data/local-ipv4 > /var/tmp/address
socat TCP-LISTEN:80,fork,reuseaddr EXEC:'echo answered' &
socat TCP-LISTEN:81,fork,reuseaddr EXEC:'echo answered' &
disown -a
for port in 80 81; do
    until ss -Hltn "sport = :$port" | grep -q .; do sleep 0.1; done
done
touch /var/tmp/done
"""
ASKS = 'socat -T 2 - TCP:{}:{},connect-timeout=2 < /dev/null'


@pytest.fixture(scope='module')
def cloud(running_cloud):
    with running_cloud(nodes='real', image='swarm') as heat:
        yield heat


@pytest.fixture(scope='module')
def tenant(cloud):
    return Tenant(cloud)


@pytest.fixture(scope='module')
def two(cloud, tenant):
    """Two servers that run: the second lets only what its group says in; a floating IP."""
    network, _ = tenant.network('10.0.0.0/24')
    open_to_all = tenant.group({'protocol': 'tcp', 'port_range_min': 80, 'port_range_max': 80})
    ports = [
        tenant.make('port', network_id=network['id']),
        tenant.make('port', network_id=network['id'], security_groups=[open_to_all]),
    ]
    ids = [
        tenant.server(name, [port], USER_DATA)
        for name, port in zip(('first', 'second'), ports, strict=True)
    ]
    floating = tenant.make(
        'floatingip', floating_network_id=tenant.outside(), port_id=ports[1]['id']
    )
    for name in ('first', 'second'):
        wait_for(lambda name=name: cloud.node(name).path('/var/tmp/done').exists(), 90)
    return ids, ports, floating['floating_ip_address']


def answers(node, address, port):
    """Whether somebody answers a node there."""
    return 'answered' in node.shell(ASKS.format(address, port), check=False)


def test_a_server_boots_its_user_data_as_it_stands(cloud, tenant, two):
    ids, ports, _ = two
    node = cloud.node('first')
    assert tenant.show(ids[0])['status'] == 'ACTIVE'
    stored = node.read(f'/var/lib/cloud/instances/{ids[0]}/user-data.txt')
    assert stored == USER_DATA
    assert not node.path('/hacked').exists()
    address = ports[0]['fixed_ips'][0]['ip_address']
    assert node.read('/var/tmp/address') == address
    assert node.read('/etc/machine-id').strip() == ids[0].replace('-', '')
    shown = node.shell('ip -o link show eth0; ip -4 -o addr show eth0; hostname; cat /proc/1/comm')
    for word in (ports[0]['mac_address'], f'{address}/24', 'mtu 1450', 'first', 'systemd'):
        assert word in shown
    assert 'DataSourceOpenStack' in node.shell('cloud-init status --wait --long', check=False)


def test_the_metadata_service_tells_each_server_its_own(cloud, two):
    ids, _, floating = two
    ask = 'curl -sS -m 5 http://169.254.169.254'
    for name, server in zip(('first', 'second'), ids, strict=True):
        told = cloud.node(name).shell(
            f'{ask}/openstack/latest/meta_data.json | '
            "jq -r '.uuid, .name, .hostname, .project_id, .public_keys.demo'"
        )
        assert told.splitlines()[:4] == [server, name, f'{name}.novalocal', 'tenant']
        assert 'ssh-ed25519 ' in told
    node = cloud.node('second')
    assert node.shell(f'{ask}/latest/meta-data/public-ipv4') == floating
    assert 'local-ipv4' in node.shell(f'{ask}/latest/meta-data/').splitlines()
    # Nova takes one password.
    put = f'{ask}/openstack/latest/password -o /dev/null -w "%{{http_code}}" -d '
    assert node.shell(f'{put}secret; {put}other') == '200409'
    assert node.shell(f'{ask}/openstack/latest/password') == 'secret'


def test_security_groups_hold(cloud, tenant, two):
    _, ports, _ = two
    first, second = cloud.node('first'), cloud.node('second')
    here, there = (port['fixed_ips'][0]['ip_address'] for port in ports)
    # Two seconds for an answer are short on a busy machine.
    wait_for(lambda: answers(first, there, 80), 20)
    assert not answers(first, there, 81)
    # The first has the default group, which lets in only its own members.
    assert not answers(second, here, 80)
    wait_for(lambda: first.run('ping', '-c1', '-W2', '10.0.0.1').returncode == 0, 20)
    group = ports[1]['security_groups'][0]
    tenant.make(
        'security-group-rule',
        direction='ingress',
        security_group_id=group,
        protocol='tcp',
        port_range_min=81,
        port_range_max=81,
        remote_ip_prefix=f'{here}/32',
    )
    wait_for(lambda: answers(first, there, 81), 20)


def test_an_address_that_is_not_the_ports_own_is_dropped_until_a_pair_allows_it(cloud, tenant, two):
    _, ports, _ = two
    first = cloud.node('first')
    there = ports[1]['fixed_ips'][0]['ip_address']
    first.shell('ip addr add 10.0.0.99/32 dev eth0')
    ask = f'socat -T 2 - TCP:{there}:80,bind=10.0.0.99,connect-timeout=2 < /dev/null'
    assert 'answered' not in first.shell(ask, check=False)
    tenant.ask(
        'PUT',
        f'network/v2.0/ports/{ports[0]["id"]}',
        port={'allowed_address_pairs': [{'ip_address': '10.0.0.99'}]},
    )
    wait_for(lambda: 'answered' in first.shell(ask, check=False), 20)


def test_a_floating_ip_is_reached_from_this_machine(two):
    _, _, floating = two
    wait_for(lambda: _asks(floating, 80) == b'answered\n', 10)
    assert _asks(floating, 22) == b''


def test_a_load_balancer_spreads_over_members_that_live(cloud, tenant, two):
    _, ports, _ = two
    addresses = [port['fixed_ips'][0]['ip_address'] for port in ports]
    octavia = 'load-balancer/v2.0/lbaas'
    subnet = ports[0]['fixed_ips'][0]['subnet_id']
    balancer = tenant.ask(
        'POST', f'{octavia}/loadbalancers', loadbalancer={'vip_subnet_id': subnet}
    )
    balancer = balancer['loadbalancer']
    listener = {'loadbalancer_id': balancer['id'], 'protocol': 'TCP', 'protocol_port': 8080}
    listener = tenant.ask('POST', f'{octavia}/listeners', listener=listener)['listener']
    pool = {'listener_id': listener['id'], 'lb_algorithm': 'ROUND_ROBIN', 'protocol': 'TCP'}
    pool = tenant.ask('POST', f'{octavia}/pools', pool=pool)['pool']
    # The group of the first lets nothing in, so only the second lives.
    for address in addresses:
        tenant.ask(
            'POST',
            f'{octavia}/pools/{pool["id"]}/members',
            member={'address': address, 'protocol_port': 80},
        )
    monitor = {'pool_id': pool['id'], 'type': 'TCP', 'delay': 1, 'timeout': 1, 'max_retries': 1}
    tenant.ask('POST', f'{octavia}/healthmonitors', healthmonitor=monitor)
    outside = tenant.make(
        'floatingip', floating_network_id=tenant.outside(), port_id=balancer['vip_port_id']
    )
    first = cloud.node('first')
    wait_for(lambda: all(answers(first, balancer['vip_address'], 8080) for _ in range(4)), 20)
    wait_for(lambda: _asks(outside['floating_ip_address'], 8080) == b'answered\n', 10)
    tenant.ask('DELETE', f'{octavia}/loadbalancers/{balancer["id"]}')
    wait_for(lambda: not answers(first, balancer['vip_address'], 8080), 10)


def _asks(address, port):
    """What this machine is answered there; b'' where nobody answers."""
    command = ['socat', '-T', '2', '-', f'TCP:{address}:{port},connect-timeout=2']
    return subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, check=False
    ).stdout


def test_a_server_whose_image_has_no_directory_is_simulated_as_ever(cloud, tenant, two):
    network, _ = tenant.network('10.5.0.0/24')
    port = tenant.make('port', network_id=network['id'])
    outside = tenant.make('floatingip', floating_network_id=tenant.outside(), port_id=port['id'])
    authority = Authority()
    files = {
        '/etc/kubernetes/pki/ca.crt': authority.certificate,
        '/etc/kubernetes/pki/ca.key': authority.key,
    }
    entries = [{'path': path, 'content': text} for path, text in files.items()]
    user_data = f'#cloud-config\n{json.dumps({"write_files": entries})}'
    server = tenant.server('paper', [port], user_data, image='debian-13')
    tenant.wait(server, 'ACTIVE')
    assert not cloud.node('paper').directory.exists()
    ask = ['curl', '-skm2', f'https://{outside["floating_ip_address"]}:6443/readyz']
    wait_for(lambda: subprocess.run(ask, capture_output=True, check=False).stdout == b'ok', 10)
    # What boots in the same cloud does not reach it: it is this machine.
    assert cloud.node('first').run(*ask, check=False).returncode == 28
    tenant.ask('DELETE', f'compute/v2.1/servers/{server}')
    tenant.wait(server, None)


def test_nodes_reach_signals_and_nothing_else_of_this_machine(cloud, two):
    first = cloud.node('first')
    address = cloud.open_door(int(cloud.heat_url.rpartition(':')[2]), '/none').split('/')[2]
    ask = 'curl -sS -m 3 -o /dev/null -w "%{http_code}" http://'
    signal = '/v1/p/stacks/s/1/resources/r/signal'
    # Heat itself answers: there is no such stack.
    assert first.shell(f'{ask}{address}{signal} -X POST', check=False) == '404'
    assert first.shell(f'{ask}{address}/v1/p/stacks', check=False) == '404'
    host = address.partition(':')[0]
    with socket.create_server((host, 0)) as served:
        port = served.getsockname()[1]
        socket.create_connection((host, port), 5).close()
        # This machine reaches it, and a node does not.
        assert first.run('curl', '-sm2', f'http://{host}:{port}/', check=False).returncode == 28
    # What is nowhere is told at once, by the router.
    assert first.run('curl', '-m', '2', 'http://192.0.2.77/', check=False).returncode == 7
