"""One network of Neutron: a bridge in a namespace of its own, with DHCP and metadata beside it."""

import ipaddress
import os
import pathlib

from magnum_lite_dev.nodes import firewall, namespace
from magnum_lite_dev.nodes.command import links, run
from magnum_lite_dev.nodes.dhcp import METADATA, Dhcp
from magnum_lite_dev.nodes.metadata import MetadataServer

BRIDGE = 'br0'
# A bridge takes the lowest address of its ports unless it has one: a node that goes would change
# it, and the others lose their neighbours until these are asked for again.
BRIDGE_MAC = 'fa:16:3e:00:00:01'


def add_bridge(name) -> None:
    """Make a namespace with a bridge in it."""
    namespace.add(name)
    links(
        name,
        f'link add {BRIDGE} address {BRIDGE_MAC} type bridge forward_delay 0',
        f'link set {BRIDGE} up',
    )


def plug(bridge, end, other, link, *, mac=None, mtu=1500) -> None:
    """Lay a cable from the bridge of a namespace to an interface that it makes in another.

    :param end: name of the cable's end on the bridge.
    :param other: a namespace; None is that of this machine.
    :param link: name of the interface there.
    """
    where = f'netns {other}' if other else f'netns {os.getpid()}'
    address = f'address {mac} ' if mac else ''
    # The kernel takes the cables of a removed namespace away when it has time.
    run('ip', '-n', bridge, 'link', 'del', end, check=False)
    links(
        bridge,
        f'link add {end} mtu {mtu} type veth peer name {link} {address}mtu {mtu} {where}',
        f'link set {end} master {BRIDGE} up',
    )


class Switch:
    """A network that is there.

    :param owner: tag of the state directory.
    :param directory: for files of its servers.
    :param groups: control groups of processes.
    :param describe: gives the documents of a server's metadata by the address that asks, see
        :class:`~magnum_lite_dev.nodes.metadata.MetadataServer`.
    """

    def __init__(self, network_id, owner, directory, groups, describe) -> None:
        self.name = namespace.name(owner, 'net', network_id)
        self._beside = namespace.name(owner, 'dhcp', network_id)
        self._plan = None
        add_bridge(self.name)
        namespace.add(self._beside)
        plug(self.name, 'dhcp', self._beside, 'eth0')
        links(self._beside, f'addr add {METADATA}/32 dev lo', 'link set eth0 up')
        self._dhcp = Dhcp(self._beside, pathlib.Path(directory) / network_id, groups)
        self._metadata = MetadataServer(self._beside, describe)

    def settle(self, plan) -> None:
        """Be as the :class:`~magnum_lite_dev.nodes.plan.Network` says."""
        if plan == self._plan:
            return
        if self._plan is None or plan.subnets != self._plan.subnets:
            links(self._beside, 'addr flush dev eth0', *map(_address, plan.subnets))
        run('ip', 'netns', 'exec', self.name, 'nft', '-f', '-', given=firewall.sources(plan))
        run('ip', 'netns', 'exec', self.name, 'iptables-restore', given=firewall.groups(plan))
        self._dhcp.settle(plan)
        self._plan = plan

    def close(self) -> None:
        """Be gone."""
        self._metadata.close()
        self._dhcp.close()
        namespace.remove(self._beside)
        namespace.remove(self.name)


def _address(subnet) -> str:
    return f'addr add {subnet.dhcp}/{ipaddress.ip_network(subnet.cidr).prefixlen} dev eth0'
