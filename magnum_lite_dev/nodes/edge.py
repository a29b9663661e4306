"""The external network: a bridge from routers to this machine, whose doors nodes reach."""

import ipaddress

from magnum_lite_dev.nodes import namespace
from magnum_lite_dev.nodes.command import Broken, links, run
from magnum_lite_dev.nodes.switch import add_bridge, plug
from magnum_lite_dev.trouble import Trouble

HOST = 'host'
# For networks of tests; every cloud takes a part of it.
RANGE = ipaddress.ip_network('198.18.0.0/15')
PREFIX_LENGTH = 22


def free_range(owner) -> str:
    """A range for a cloud's floating IPs that no interface of this machine has, as text.

    :raises Trouble: all are taken.
    """
    told = run('ip', '-4', '-o', 'addr', 'show').stdout.split()
    taken = [ipaddress.ip_interface(word).network for word in told if '/' in word and '.' in word]
    ranges = list(RANGE.subnets(new_prefix=PREFIX_LENGTH))
    first = int(owner[2:], 16) % len(ranges)
    for each in ranges[first:] + ranges[:first]:
        if not any(each.overlaps(other) for other in taken):
            return str(each)
    raise Trouble(f'all of {RANGE} is in use on this machine')


class Edge:
    """The external network of one cloud.

    :param cidr: of its subnet; this machine has the first address.
    """

    def __init__(self, owner, cidr) -> None:
        self._net = ipaddress.ip_network(cidr)
        self.address = str(self._net[1])
        self.name = namespace.name(owner, 'ext', 'public')
        self.link = owner
        self._doors = set()
        self._own = set()

    def open(self) -> None:
        """Be there.

        :raises Trouble: this machine has the addresses elsewhere.
        """
        add_bridge(self.name)
        plug(self.name, HOST, None, self.link)
        try:
            links(
                None,
                f'addr add {self.address}/{self._net.prefixlen} dev {self.link}',
                f'link set {self.link} up',
            )
        except Broken as error:
            raise Trouble(f'the external network cannot be made: {error}') from error
        self._guard()

    def allow(self, port) -> None:
        """Let nodes reach a port of this machine's address here."""
        self._doors.add(port)
        self._guard()

    def plug(self, end, router, address) -> None:
        """Lay a cable to a router's namespace, as its interface ``ext``."""
        plug(self.name, end, router, 'ext')
        links(router, f'addr add {address}/{self._net.prefixlen} dev ext', 'link set ext up')

    def answer_at(self, addresses) -> None:
        """Let this machine itself answer at these floating IPs, and at no other."""
        lines = [f'addr del {each}/32 dev {self.link}' for each in self._own - addresses]
        lines += [f'addr replace {each}/32 dev {self.link}' for each in addresses - self._own]
        if lines:
            links(None, *lines)
            self._own = set(addresses)

    def __contains__(self, address) -> bool:
        return ipaddress.ip_address(address) in self._net

    def close(self) -> None:
        """Be gone."""
        namespace.remove(self.name)

    def _guard(self) -> None:
        run('ip', 'netns', 'exec', self.name, 'iptables-restore', given=self._rules())

    def _rules(self) -> str:
        to_host = f'-A FORWARD -m physdev --physdev-is-bridged --physdev-out {HOST}'
        lines = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]']
        lines.append(f'{to_host} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT')
        lines += [
            f'{to_host} -d {self.address} -p tcp --dport {port} -j ACCEPT'
            for port in sorted(self._doors)
        ]
        return '\n'.join([*lines, f'{to_host} -j DROP', 'COMMIT', ''])
