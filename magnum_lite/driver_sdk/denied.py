"""Addresses that a conductor asks nothing: tenants choose those of their APIs."""

import ipaddress
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Whose last 32 bits are an IPv4 address that a gateway or the system reaches: NAT64 (RFC 6052), its
# local use with a prefix of 96 bits (RFC 8215), and the old form ::a.b.c.d.
_EMBEDDING = tuple(map(ipaddress.IPv6Network, ('64:ff9b::/96', '64:ff9b:1::/48', '::/96')))


def why(url: str | None, networks: Collection[Network]) -> str | None:
    """Why nobody looks at a URL; None where it may be looked at, as where no network is denied."""
    if not networks:
        return None
    try:
        address = ipaddress.ip_address(urlsplit(url or '').hostname or '')
    except ValueError:
        return f'{url} has no address, but a name, which may mean any'
    if any(found in network for found in _reached(address) for network in networks):
        return f'{url} is in a network in which nobody looks'
    return None


def _reached(address: Address) -> Iterator[Address]:
    """An address, and those of IPv4 to which it may lead."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if any(address in network for network in _EMBEDDING):
        yield ipaddress.IPv4Address(address.packed[-4:])
    yield from filter(None, (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())))
