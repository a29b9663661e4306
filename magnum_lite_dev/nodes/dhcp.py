"""DHCP and names in one network, as Neutron's agent serves them: dnsmasq in a namespace."""

import ipaddress
import pathlib
import signal

from magnum_lite_dev.nodes.command import notify, start

METADATA = '169.254.169.254'
DOMAIN = 'novalocal'
EVERYWHERE = '0.0.0.0/0'


class Dhcp:
    """The DHCP server of one network; it knows the ports that it was told and no other.

    :param namespace: where it serves, at the first addresses of the subnets.
    :param directory: for its files.
    :param groups: control groups of the process.
    """

    def __init__(self, namespace, directory, groups) -> None:
        self._namespace = namespace
        self._directory = pathlib.Path(directory)
        self._groups = groups
        self._process = None
        self._subnets = None

    def settle(self, network) -> None:
        """Serve the network as it is now."""
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / 'hosts').write_text(_hosts(network))
        is_same = self._process and self._subnets == (network.subnets, network.mtu)
        # It reads its hosts anew.
        if is_same and notify(self._process, signal.SIGHUP):
            return
        self.close()
        self._subnets = network.subnets, network.mtu
        self._process = start(
            [
                'nsenter',
                f'--net=/run/netns/{self._namespace}',
                'dnsmasq',
                '--keep-in-foreground',
                '--conf-file=/dev/null',
                '--pid-file=',
                '--user=root',
                '--no-resolv',
                '--no-hosts',
                '--no-ping',
                '--bind-interfaces',
                '--interface=eth0',
                '--except-interface=lo',
                '--dhcp-authoritative',
                f'--domain={DOMAIN}',
                '--expand-hosts',
                f'--dhcp-hostsfile={self._directory}/hosts',
                f'--dhcp-leasefile={self._directory}/leases',
                *options(network),
            ],
            self._groups,
            self._directory / 'dnsmasq.log',
        )

    def close(self) -> None:
        """Serve no more."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def options(network) -> list[str]:
    """The options of dnsmasq that say what its clients are told."""
    found = [f'--dhcp-option=option:mtu,{network.mtu}']
    for subnet in network.subnets:
        net, tag = ipaddress.ip_network(subnet.cidr), f'tag:{subnet.id[:8]}'
        found.append(f'--dhcp-range=set:{subnet.id[:8]},{net[0]},static,{net.netmask},1h')
        routes = [(f'{METADATA}/32', subnet.dhcp), *subnet.routes]
        if subnet.gateway:
            found.append(f'--dhcp-option={tag},option:router,{subnet.gateway}')
            routes.append((EVERYWHERE, subnet.gateway))
        else:
            found.append(f'--dhcp-option={tag},option:router')
        # Who knows option 121 does not look at the router of option 3.
        words = ','.join(word for route in routes for word in route)
        found.append(f'--dhcp-option={tag},121,{words}')
        names = ','.join(subnet.names or (subnet.dhcp,))
        found.append(f'--dhcp-option={tag},option:dns-server,{names}')
    return found


def _hosts(network) -> str:
    return ''.join(
        f'{port.mac},{address},{port.name}\n'
        for port in network.ports
        for address, _ in port.addresses[:1]
    )
