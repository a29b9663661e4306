"""What rows of the cloud come to on a machine: rules, addresses and configurations as texts."""

import pytest

from magnum_lite_dev.nodes import balancing, dhcp, firewall, plan

PORT = {
    'id': '0123456789abcdef',
    'network_id': 'n',
    'mac_address': 'fa:16:3e:00:00:0a',
    'device_id': 's',
    'device_owner': 'compute:nova',
    'project_id': 'p',
    'fixed_ips': [{'ip_address': '10.0.0.11', 'subnet_id': 'sub'}],
    'allowed_address_pairs': [],
    'security_groups': [],
    'port_security_enabled': True,
}
OTHER = {
    **PORT,
    'id': 'fedcba9876543210',
    'device_id': 'elsewhere',
    'security_groups': ['g'],
    'fixed_ips': [{'ip_address': '10.0.0.12', 'subnet_id': 'sub'}],
    'allowed_address_pairs': [{'ip_address': '10.1.0.0/16'}],
}
SUBNET = {
    'id': 'sub',
    'cidr': '10.0.0.0/24',
    'gateway_ip': '10.0.0.1',
    'ip_version': 4,
    'dns_nameservers': [],
    'host_routes': [{'destination': '10.9.0.0/16', 'nexthop': '10.0.0.7'}],
}
ALL = {
    'direction': 'ingress',
    'ethertype': 'IPv4',
    'protocol': None,
    'port_range_min': None,
    'port_range_max': None,
    'remote_group_id': None,
    'remote_ip_prefix': None,
}


def tables(*rules, **changed):
    """Rows of one network with a server that boots, in a group of these rules."""
    port = {**PORT, 'security_groups': ['g'] if rules else [], **changed}
    return {
        'networks': {'n': {'id': 'n', 'mtu': 1450, 'subnets': ['sub']}},
        'subnets': {'sub': SUBNET},
        'servers': {'s': {'id': 's', 'name': 'one'}},
        'ports': {row['id']: row for row in (port, OTHER)},
        'security-groups': {'g': {'security_group_rules': [{**ALL, **rule} for rule in rules]}},
    }


def let_in(rows):
    """The rules of iptables by which the port lets something in."""
    text = firewall.groups(plan.networks(rows, {'s'})['n'])
    lines = text.splitlines()
    kept = [line for line in lines if line.startswith('-A i-p0123456789a ') and 'RETURN' in line]
    return [line[18:].removesuffix(' -j RETURN') for line in kept[2:]]


@pytest.mark.parametrize(
    ('name', 'host'),
    [
        ('magnum-1-worker-0', 'magnum-1-worker-0'),
        ('My first_server.example', 'my-first-server-example'),
        ('ä, ö', 'server'),
        ('a' * 70, 'a' * 63),
    ],
)
def test_a_server_called_what_no_host_may_be_has_a_host_name(name, host):
    assert plan.host_name(name) == host


@pytest.mark.parametrize(
    ('cidr', 'address'), [('10.0.0.0/30', '10.0.0.2'), ('10.0.0.8/29', '10.0.0.10')]
)
def test_a_small_subnet_has_room_for_its_dhcp_server(cidr, address):
    rows = tables()
    gateway = '10.0.0.1' if '/30' in cidr else '10.0.0.9'
    rows['subnets'] = {'sub': {**SUBNET, 'cidr': cidr, 'gateway_ip': gateway}}
    assert plan.networks(rows, {'s'})['n'].subnets[0].dhcp == address


def test_rules_of_groups():
    ssh = {'protocol': 'tcp', 'port_range_min': 22, 'port_range_max': 22}
    assert let_in(tables({**ssh, 'remote_ip_prefix': '10.0.0.0/24'})) == [
        '-s 10.0.0.0/24 -p tcp --dport 22:22'
    ]
    # The addresses of all members, as they stand and in pairs; the port is one itself.
    assert let_in(tables({'remote_group_id': 'g'})) == [
        '-s 10.0.0.11/32',
        '-s 10.0.0.12/32',
        '-s 10.1.0.0/16',
    ]
    assert let_in(tables({'protocol': 'icmp', 'port_range_min': 8, 'port_range_max': 0})) == [
        '-p icmp --icmp-type 8/0'
    ]
    assert let_in(tables({'protocol': '112'}, {'ethertype': 'IPv6'})) == ['-p 112']
    # No group at all lets nothing in.
    assert let_in(tables()) == []


def test_the_default_group_lets_its_members_in():
    assert let_in(tables(_takes_default_group=True)) == ['-s 10.0.0.11/32']


def test_a_port_without_port_security_is_open():
    network = plan.networks(tables(port_security_enabled=False), {'s'})['n']
    assert '-A ' not in firewall.groups(network)
    assert 'drop' not in firewall.sources(network)


def test_a_port_sends_from_its_pairs_and_from_nowhere_else():
    pairs = [
        {'ip_address': '10.0.0.50', 'mac_address': 'fa:16:3e:ff:00:00'},
        {'ip_address': '10.2.0.0/16'},
    ]
    text = firewall.sources(plan.networks(tables(allowed_address_pairs=pairs), {'s'})['n'])
    for line in (
        'ether saddr fa:16:3e:00:00:0a ip saddr 10.0.0.11 accept',
        'ether saddr fa:16:3e:ff:00:00 arp saddr ip 10.0.0.50 accept',
        'ether saddr fa:16:3e:00:00:0a ip saddr 10.2.0.0/16 accept',
    ):
        assert line in text
    assert text.index('10.2.0.0/16 accept') < text.index('  drop')


def test_dhcp_tells_the_way_to_the_metadata_service():
    network = plan.networks(tables(), {'s'})['n']
    assert network.subnets[0].dhcp == '10.0.0.2'
    told = dhcp.options(network)
    assert (
        '--dhcp-option=tag:sub,121,169.254.169.254/32,10.0.0.2,10.9.0.0/16,10.0.0.7,0.0.0.0/0,'
        '10.0.0.1'
    ) in told
    assert '--dhcp-option=option:mtu,1450' in told


def test_a_listeners_timeouts_and_its_monitor_are_haproxys():
    rows = tables()
    rows['ports']['v'] = {**PORT, 'id': 'v', 'device_id': 'lb-b', 'device_owner': 'Octavia'}
    rows['loadbalancers'] = {'b': {'id': 'b', 'vip_port_id': 'v'}}
    rows['listeners'] = {
        'l': {
            'id': 'l',
            'loadbalancer_id': 'b',
            'protocol': 'TCP',
            'protocol_port': 6443,
            'timeout_client_data': 600000,
            'timeout_member_data': 600000,
            'default_pool_id': 'q',
        }
    }
    rows['pools'] = {'q': {'id': 'q', 'lb_algorithm': 'LEAST_CONNECTIONS'}}
    rows['members'] = {
        'm': {'id': 'm', '_parent': 'q', 'address': '10.0.0.11', 'protocol_port': 6443}
    }
    rows['healthmonitors'] = {
        'h': {
            'pool_id': 'q',
            'type': 'HTTPS',
            'delay': 10,
            'timeout': 5,
            'max_retries': 3,
            'url_path': '/readyz',
            'expected_codes': '200-201',
        }
    }
    text = balancing.balancers(rows, {'n'})['b'].text
    for line in (
        'bind 10.0.0.11:6443',
        'timeout client 600000ms',
        'timeout server 600000ms',
        'timeout connect 5000ms',
        'balance leastconn',
        'option httpchk GET /readyz',
        'http-check expect rstatus 200|201',
        'server m 10.0.0.11:6443 weight 1 check inter 10s rise 3 fall 3 check-ssl verify none',
    ):
        assert f'    {line}\n' in text
