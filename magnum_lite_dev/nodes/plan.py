"""What should be there of a cloud's networks where servers boot: a pure function of its rows."""

import dataclasses
import ipaddress
import re
from typing import Any

from magnum_lite_dev.sim_cloud.store import Row

Tables = dict[str, dict[str, Row]]
# Neutron's DHCP server has an address below those that servers get.
DHCP_HOSTS = range(2, 10)


@dataclasses.dataclass(frozen=True)
class Subnet:
    """A subnet of version 4.

    :ivar dhcp: address of its DHCP server, which is also the way to the metadata service.
    :ivar gateway: None without one.
    :ivar names: its name servers; () leaves it to the DHCP server.
    :ivar routes: (destination, next hop) pairs.
    """

    id: str
    cidr: str
    dhcp: str
    gateway: str | None
    names: tuple[str, ...]
    routes: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Port:
    """A port of a server that boots.

    :ivar name: of its server's host.
    :ivar addresses: (address, subnet id) pairs, the first is the one that others know.
    :ivar sources: (MAC, address or range) pairs that it may send from.
    :ivar groups: ids of security groups; None lets everything pass.
    """

    id: str
    server: str
    name: str
    mac: str
    addresses: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    groups: tuple[str, ...] | None


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of a security group, ready for its port: ``remotes`` are addresses or ranges."""

    direction: str
    protocol: str | None
    first: int | None
    last: int | None
    remotes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Network:
    """A network with a server that boots.

    :ivar rules: {port id: what may pass}; a port that is not in it is open.
    """

    id: str
    mtu: int
    subnets: tuple[Subnet, ...]
    ports: tuple[Port, ...]
    rules: dict[str, tuple[Rule, ...]]


@dataclasses.dataclass(frozen=True)
class Leg:
    """An interface of a router: MAC, and addresses with their prefix length."""

    port: str
    network: str
    mac: str
    mtu: int
    addresses: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Router:
    """A router into a network that is there.

    :ivar outer: its address outside, None without a gateway; then nothing leads out.
    :ivar floating: (floating address, fixed address) pairs.
    :ivar routes: (destination, next hop) pairs.
    """

    id: str
    legs: tuple[Leg, ...]
    outer: str | None
    floating: tuple[tuple[str, str], ...]
    routes: tuple[tuple[str, str], ...]


def booting_servers(tables) -> set[str]:
    """Ids of the servers that boot."""
    return {row['id'] for row in tables.get('servers', {}).values() if row.get('_has_node')}


def networks(tables, booting) -> dict[str, Network]:
    """{id: network} of those that have a port of a server that boots.

    :param booting: ids of these servers.
    """
    ports = tables.get('ports', {}).values()
    found = {}
    for port in ports:
        if port['device_id'] in booting and port['network_id'] not in found:
            row = tables['networks'][port['network_id']]
            found[row['id']] = _network(tables, row, booting)
    return found


def _network(tables, row, booting) -> Network:
    here = [port for port in tables['ports'].values() if port['network_id'] == row['id']]
    ports = tuple(_port(tables, port) for port in here if port['device_id'] in booting)
    return Network(
        id=row['id'],
        mtu=row['mtu'],
        subnets=tuple(
            _subnet(tables['subnets'][subnet_id], here)
            for subnet_id in row['subnets']
            if tables['subnets'][subnet_id]['ip_version'] == 4
        ),
        ports=ports,
        rules={port.id: _rules(tables, port) for port in ports if port.groups is not None},
    )


def _subnet(row, ports) -> Subnet:
    net = ipaddress.ip_network(row['cidr'])
    used = {ip['ip_address'] for port in ports for ip in port['fixed_ips']} | {row['gateway_ip']}
    hosts = [host for host in DHCP_HOSTS if host < net.num_addresses - 1]
    own = (str(net[host]) for host in (*hosts, *reversed(range(1, net.num_addresses - 1))))
    return Subnet(
        id=row['id'],
        cidr=row['cidr'],
        dhcp=next(address for address in own if address not in used),
        gateway=row['gateway_ip'],
        names=tuple(row['dns_nameservers']),
        routes=tuple((each['destination'], each['nexthop']) for each in row['host_routes']),
    )


def _port(tables, row) -> Port:
    addresses = tuple(
        (ip['ip_address'], ip['subnet_id'])
        for ip in row['fixed_ips']
        if ':' not in ip['ip_address']
    )
    pairs = tuple(
        (pair.get('mac_address') or row['mac_address'], pair['ip_address'])
        for pair in row['allowed_address_pairs'] or ()
    )
    server = tables['servers'][row['device_id']]
    return Port(
        id=row['id'],
        server=server['id'],
        name=host_name(server['name']),
        mac=row['mac_address'],
        addresses=addresses,
        sources=(*((row['mac_address'], address) for address, _ in addresses), *pairs),
        groups=tuple(sorted(groups_of(row))) if row['port_security_enabled'] else None,
    )


def host_name(name) -> str:
    """The host name of a server, which may be called what no host may be, as Nova makes it."""
    words = re.sub(r'[^a-z0-9-]+', '-', re.sub(r'[ _]', '-', name.lower()).replace('.', '-'))
    return words.strip('-')[:63].strip('-') or 'server'


def groups_of(port) -> list[str]:
    """Ids of a port's security groups; one that was asked for none has the project's default."""
    if port.get('_takes_default_group'):
        return [f'default-{port["project_id"]}']
    return list(port['security_groups'])


def _rules(tables, port) -> tuple[Rule, ...]:
    found = []
    for group in port.groups:
        if group.startswith('default-'):
            found += [
                Rule('egress', None, None, None, ('0.0.0.0/0',)),
                Rule('ingress', None, None, None, _members(tables, group)),
            ]
            continue
        for row in tables.get('security-groups', {}).get(group, _NOTHING)['security_group_rules']:
            if row['ethertype'] == 'IPv4':
                found.append(_rule(tables, row))
    return tuple(dict.fromkeys(found))


_NOTHING = {'security_group_rules': ()}


def _rule(tables, row) -> Rule:
    if row['remote_group_id']:
        remotes = _members(tables, row['remote_group_id'])
    else:
        remotes = (str(row['remote_ip_prefix'] or '0.0.0.0/0'),)
    protocol = row['protocol']
    return Rule(
        direction=row['direction'],
        protocol=None if protocol in (None, 'any') else str(protocol),
        first=_number(row['port_range_min']),
        last=_number(row['port_range_max']),
        remotes=remotes,
    )


def _members(tables, group) -> tuple[str, ...]:
    """The addresses of all ports in a group, as Neutron fills its sets."""
    found = set()
    for port in tables['ports'].values():
        if group in groups_of(port):
            found |= {ip['ip_address'] for ip in port['fixed_ips']}
            found |= {pair['ip_address'] for pair in port['allowed_address_pairs'] or ()}
    return tuple(sorted(address for address in found if ':' not in address))


def _number(value) -> int | None:
    return None if value is None else int(value)


def routers(tables, there, booting) -> dict[str, Router]:
    """{id: router} of those that have an interface in a network that is there.

    :param there: ids of the networks.
    """
    found = {}
    for row in tables.get('routers', {}).values():
        legs = tuple(
            _leg(tables, port)
            for port in tables['ports'].values()
            if port['device_id'] == row['id'] and port['network_id'] in there
        )
        if legs:
            outside = (row.get('external_gateway_info') or {}).get('external_fixed_ips') or [{}]
            found[row['id']] = Router(
                id=row['id'],
                legs=legs,
                outer=outside[0].get('ip_address'),
                floating=_floating(tables, {leg.network for leg in legs}, booting),
                routes=tuple((each['destination'], each['nexthop']) for each in row['routes']),
            )
    return found


def _leg(tables, port) -> Leg:
    return Leg(
        port=port['id'],
        network=port['network_id'],
        mac=port['mac_address'],
        mtu=tables['networks'][port['network_id']]['mtu'],
        addresses=tuple(
            f'{ip["ip_address"]}/{prefix_length(tables, ip["subnet_id"])}'
            for ip in port['fixed_ips']
            if ':' not in ip['ip_address']
        ),
    )


def prefix_length(tables, subnet_id) -> int:
    """The prefix length of a subnet."""
    return ipaddress.ip_network(tables['subnets'][subnet_id]['cidr']).prefixlen


def _floating(tables, inside, booting) -> tuple[tuple[str, str], ...]:
    found = []
    for row in tables.get('floatingips', {}).values():
        port = tables['ports'].get(row['port_id'] or '')
        if port and port['network_id'] in inside and _answers(port, booting):
            found.append((row['floating_ip_address'], row['fixed_ip_address']))
    return tuple(sorted(found))


def simulated(tables, booting) -> set[str]:
    """The floating IPs of servers that do not boot: this machine answers for them."""
    found = set()
    for row in tables.get('floatingips', {}).values():
        port = tables['ports'].get(row['port_id'] or '')
        if port and port['device_id'] in tables.get('servers', {}).keys() - booting:
            found.add(row['floating_ip_address'])
    return found


def _answers(port: dict[str, Any], booting) -> bool:
    """Whether something is behind a port; what is simulated answers at the floating IP itself."""
    return port['device_id'] in booting or port['device_owner'] == 'Octavia'
