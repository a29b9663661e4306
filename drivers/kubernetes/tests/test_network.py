"""What the ports of nodes let through, by Neutron's rules, in clusters on the real Heat with the
simulated cloud.
"""

import dataclasses
import ipaddress

import pytest

from magnum_lite.driver_sdk import DONE, Network
from magnum_lite.driver_sdk.testing.cloud_rules import finish

PUBLIC = Network(external_network='public')
POD = '10.128.7.9'
OUTSIDE = '198.51.100.7'
VXLAN, KUBELET, API, SSH, NODE_PORT = 8472, 10250, 6443, 22, 30080


class Firewall:
    """The ports of a cluster, and what Neutron would do with a packet."""

    def __init__(self, state, spec):
        own = {
            server['id']: server['metadata']['magnum_lite_node_group']
            for server in state['servers'].values()
            if server['metadata'].get('magnum_lite_cluster') == spec.uuid
        }
        groups = {group.uuid: group.role for group in spec.node_groups}
        self.rules, self.ports = state['security-group-rules'].values(), state['ports'].values()
        self.nodes = {
            groups[own[port['device_id']]]: port for port in self.ports if port['device_id'] in own
        }

    def address(self, role):
        """The address of a node of a role (master, worker)."""
        return self.nodes[role]['fixed_ips'][0]['ip_address']

    def sends(self, role, source):
        """Whether a node may send from an address."""
        pairs = [pair['ip_address'] for pair in self.nodes[role]['allowed_address_pairs']]
        return any(is_in(source, allowed) for allowed in [self.address(role), *pairs])

    def takes(self, role, source, protocol, number=None):
        """Whether a node takes a packet.

        :param number: its port; None for protocols without.
        """
        return any(
            rule['security_group_id'] in self.nodes[role]['security_groups']
            and rule['direction'] == 'ingress'
            and rule['protocol'] in (None, protocol)
            and (
                rule['port_range_min'] is None
                or number is not None
                and int(rule['port_range_min']) <= number <= int(rule['port_range_max'])
            )
            and self._is_from(rule, source)
            for rule in self.rules
        )

    def _is_from(self, rule, source):
        if rule['remote_group_id']:
            return any(
                rule['remote_group_id'] in port['security_groups']
                and port['fixed_ips'][0]['ip_address'] == source
                for port in self.ports
            )
        return is_in(source, rule['remote_ip_prefix'] or '0.0.0.0/0')


def is_in(address, prefix):
    return ipaddress.ip_address(address) in ipaddress.ip_network(prefix)


@pytest.fixture
def build(driver, real_cloud, embedded_heat):
    """``build(spec)``: the firewall of a cluster as it is then; it is deleted at the end."""
    made = []

    def build(spec):
        driver.validate(spec)
        made.append(spec)
        step = driver.update if len(made) > 1 else driver.create
        assert finish(lambda: step(real_cloud, spec)) == DONE
        return Firewall(embedded_heat.state(), spec)

    yield build
    finish(lambda: driver.delete(real_cloud, made[0]))


@pytest.mark.parametrize(
    'changes',
    [
        {'config': {'flannel_backend': 'host-gw'}},
        {
            'network': dataclasses.replace(PUBLIC, driver='calico'),
            'config': {'manifests_url': 'https://192.0.2.9/a', 'manifests_sha256': 'a' * 64},
        },
    ],
    ids=['flannel host-gw', 'calico'],
)
def test_packets_of_pods_pass_between_nodes_without_a_tunnel(changes, make_spec, build):
    found = build(make_spec(**changes))
    for role in ('master', 'worker'):
        assert found.sends(role, POD)
        assert not found.sends(role, '10.96.0.1')
        for protocol, number in (('tcp', 8080), ('udp', 53), ('sctp', 9), ('icmp', None)):
            assert found.takes(role, POD, protocol, number)
        # Calico's own tunnel, IP in IP.
        assert found.takes(role, found.address('worker'), 'ipip')


def test_nodes_that_run_keep_their_ports(make_spec, build):
    spec = make_spec()
    before = build(spec)
    assert not before.sends('worker', POD) and not before.takes('worker', POD, 'tcp', 8080)
    config = spec.config | {'flannel_backend': 'host-gw'}
    after = build(dataclasses.replace(spec, config=config, attempt='later'))
    assert after.sends('master', POD) and not after.sends('worker', POD)
    for role in ('master', 'worker'):
        assert after.nodes[role]['id'] == before.nodes[role]['id']
        assert after.address(role) == before.address(role)


def test_only_the_api_is_reached_from_outside(make_spec, build):
    found = build(make_spec())
    assert found.takes('master', OUTSIDE, 'tcp', API)
    for role, number in (
        ('worker', API),
        ('worker', SSH),
        ('worker', NODE_PORT),
        ('master', SSH),
        ('master', NODE_PORT),
    ):
        assert not found.takes(role, OUTSIDE, 'tcp', number)
        assert not found.takes(role, OUTSIDE, 'udp', number)
    # A load balancer in the network of the cluster.
    assert found.takes('worker', '10.0.15.200', 'tcp', NODE_PORT)
    assert not found.takes('master', '10.0.15.200', 'tcp', NODE_PORT)
    for role, other in (('master', 'worker'), ('worker', 'master'), ('worker', 'worker')):
        assert found.takes(role, found.address(other), 'udp', VXLAN)
        assert found.takes(role, found.address(other), 'tcp', KUBELET)


def test_labels_say_who_else_may(make_spec, build):
    spec = make_spec(
        config={
            'ssh_allowed_cidrs': '192.0.2.0/24',
            'node_port_allowed_cidrs': '203.0.113.0/24,203.0.113.0/24',
            'master_lb_allowed_cidrs': '192.0.2.0/24,192.0.2.0/24',
        }
    )
    before = build(spec)
    for role in ('master', 'worker'):
        assert before.takes(role, '192.0.2.9', 'tcp', SSH)
        assert not before.takes(role, '203.0.113.9', 'tcp', SSH)
        assert before.takes(role, '203.0.113.9', 'udp', NODE_PORT) is (role == 'worker')
        assert not before.takes(role, OUTSIDE, 'tcp', API)
    closed = spec.config | {'ssh_allowed_cidrs': '', 'node_port_allowed_cidrs': ''}
    after = build(dataclasses.replace(spec, config=closed, attempt='closed'))
    for role in ('master', 'worker'):
        assert not after.takes(role, '192.0.2.9', 'tcp', SSH)
        assert not after.takes(role, '203.0.113.9', 'tcp', NODE_PORT)
        assert after.takes(role, after.address('worker'), 'udp', VXLAN)
        assert after.nodes[role] == before.nodes[role]


def test_in_a_given_network_node_ports_are_closed_too(driver, make_spec):
    spec = make_spec(network=Network(fixed_network='private', external_network='public'))
    assert driver.plan(spec).stacks[0].parameters['node_port_sources'] == []
