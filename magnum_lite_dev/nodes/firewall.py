"""What a port may send and get, as Neutron's agent enforces it: texts for nft and iptables.

Where a packet claims to come from is judged first, without state; then the security groups, which
know connections. Both stand in the namespace of the network's bridge, beyond the nodes' reach.
"""

import ipaddress

ICMP = {'icmp': 'icmp', '1': 'icmp'}
WITH_PORTS = {'tcp': 'tcp', '6': 'tcp', 'udp': 'udp', '17': 'udp', 'sctp': 'sctp', '132': 'sctp'}
EVERYWHERE = '0.0.0.0/0'


def link(port_id) -> str:
    """The name of a port's end on the bridge."""
    return f'p{port_id[:11]}'


def sources(network) -> str:
    """The text for ``nft -f -`` by which a port sends only as itself and its address pairs."""
    lines = ['table bridge sources', 'delete table bridge sources', 'table bridge sources {']
    jumps = []
    for port in network.ports:
        if port.groups is None:
            continue
        name = link(port.id)
        jumps.append(f'  iifname "{name}" jump {name}')
        lines.append(f' chain {name} {{')
        # Who has no address yet asks for one.
        lines.append(f'  ether saddr {port.mac} ip saddr 0.0.0.0 udp dport 67 accept')
        lines.append(f'  ether saddr {port.mac} arp saddr ip 0.0.0.0 accept')
        for mac, address in port.sources:
            if ':' not in address:
                lines.append(f'  ether saddr {mac} ip saddr {address} accept')
                lines.append(f'  ether saddr {mac} arp saddr ip {address} accept')
        lines += ['  drop', ' }']
    lines += [' chain prerouting {', '  type filter hook prerouting priority -300; policy accept;']
    return '\n'.join([*lines, *jumps, ' }', '}', ''])


def groups(network) -> str:
    """The text for ``iptables-restore`` by which security groups hold."""
    lines = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]']
    jumps, chains = [], []
    for port in network.ports:
        if port.id not in network.rules:
            continue
        name = link(port.id)
        lines += [f':o-{name} - [0:0]', f':i-{name} - [0:0]']
        crossing = '-A FORWARD -m physdev --physdev-is-bridged'
        jumps.append(f'{crossing} --physdev-in {name} -j o-{name}')
        jumps.append(f'{crossing} --physdev-out {name} -j i-{name}')
        chains += _chain(f'o-{name}', network.rules[port.id], 'egress', '68', '67')
        chains += _chain(f'i-{name}', network.rules[port.id], 'ingress', '67', '68')
    return '\n'.join([*lines, *jumps, *chains, 'COMMIT', ''])


def _chain(name, rules, direction, dhcp_from, dhcp_to) -> list[str]:
    """A chain that returns what may pass: the other port has its say too."""
    lines = [
        f'-A {name} -p udp --sport {dhcp_from} --dport {dhcp_to} -j RETURN',
        # Nobody plays the DHCP server.
        f'-A {name} -p udp --sport {dhcp_to} --dport {dhcp_from} -j DROP',
        f'-A {name} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
        f'-A {name} -m conntrack --ctstate INVALID -j DROP',
    ]
    side = '-d' if direction == 'egress' else '-s'
    for rule in rules:
        if rule.direction == direction:
            for remote in rule.remotes:
                where = '' if remote == EVERYWHERE else f' {side} {_net(remote)}'
                lines.append(f'-A {name}{where}{_what(rule)} -j RETURN')
    return [*lines, f'-A {name} -j DROP']


def _net(text) -> str:
    return str(ipaddress.ip_network(text, strict=False))


def _what(rule) -> str:
    if rule.protocol is None:
        return ''
    if rule.protocol in ICMP:
        kind = '' if rule.first is None else f' --icmp-type {rule.first}'
        code = f'/{rule.last}' if kind and rule.last is not None else ''
        return f' -p icmp{kind}{code}'
    if rule.protocol in WITH_PORTS and rule.first is not None:
        last = rule.first if rule.last is None else rule.last
        return f' -p {WITH_PORTS[rule.protocol]} --dport {rule.first}:{last}'
    return f' -p {WITH_PORTS.get(rule.protocol, rule.protocol)}'
