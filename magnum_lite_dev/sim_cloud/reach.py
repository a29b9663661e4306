"""What can be reached from where: subnets that overlap, and the ways that floating IPs need."""

import ipaddress

from magnum_lite_dev.sim_cloud.request import Refusal
from magnum_lite_dev.sim_cloud.store import Row

INTERFACE = 'network:router_interface'


def check_subnet(store, subnet) -> None:
    """Go on when the network has no subnet that overlaps with a new one.

    :raises Refusal: 400, it has; 404, no such network.
    """
    cidr = ipaddress.ip_network(subnet['cidr'])
    for ident in store.get('networks', subnet['network_id'])['subnets']:
        if cidr.overlaps(ipaddress.ip_network(store.get('subnets', ident)['cidr'])):
            raise Refusal(
                400,
                f'Invalid input for operation: Requested subnet with cidr: {cidr} for network: '
                f'{subnet["network_id"]} overlaps with another subnet.',
            )


def check_interface(store, router_id, subnet) -> None:
    """Go on when the router is in no subnet that overlaps with another one.

    :raises Refusal: 400, it is.
    """
    cidr = ipaddress.ip_network(subnet['cidr'])
    for ident in _subnets(store, router_id):
        other = store.get('subnets', ident)
        if cidr.overlaps(ipaddress.ip_network(other['cidr'])):
            raise Refusal(
                400,
                f'Bad router request: Cidr {cidr} of subnet {subnet["id"]} overlaps with cidr '
                f'{other["cidr"]} of subnet {ident}.',
            )


def check_floating_ip(store, floating, port) -> None:
    """Go on when a floating IP can be that of a port.

    :raises Refusal: 404, no router leads from its subnet to the external network; 409, its address
        has another one.
    """
    address = port['fixed_ips'][0]
    outside = floating['floating_network_id']
    if not any(
        _gateway(router) == outside and address['subnet_id'] in _subnets(store, router['id'])
        for router in store.rows('routers')
    ):
        raise Refusal(
            404,
            f'External network {outside} is not reachable from subnet {address["subnet_id"]}.  '
            f'Therefore, cannot associate Port {port["id"]} with a Floating IP.',
        )
    for other in store.find('floatingips', port_id=port['id'], floating_network_id=outside):
        if other['id'] != floating.get('id'):
            raise Refusal(
                409,
                f'Cannot associate floating IP {floating["floating_ip_address"]} with port '
                f'{port["id"]} using fixed IP {address["ip_address"]}, as that fixed IP already '
                f'has a floating IP on external network {outside}.',
            )


def check_interface_goes(store, router_id, subnet_id) -> None:
    """Go on when no floating IP needs the router in this subnet.

    :raises Refusal: 409, one does.
    """
    if _needed(store, store.get('routers', router_id), [subnet_id]):
        raise Refusal(
            409,
            f'Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as '
            'it is required by one or more floating IPs.',
        )


def check_gateway(store, router, gateway) -> None:
    """Go on when no floating IP needs the gateway that a router has, or it stays.

    :param gateway: what the router is to have, None or ``{}`` for none.
    :raises Refusal: 409, one does.
    """
    outside = _gateway(router)
    if outside in (None, (gateway or {}).get('network_id')):
        return
    if _needed(store, router, _subnets(store, router['id'])):
        raise Refusal(
            409,
            f'Gateway cannot be updated for router {router["id"]}, since a gateway to external '
            f'network {outside} is required by one or more floating IPs.',
        )


def _gateway(router) -> str | None:
    return (router.get('external_gateway_info') or {}).get('network_id')


def _subnets(store, router_id) -> list[str]:
    return [
        ip['subnet_id']
        for port in store.find('ports', device_id=router_id, device_owner=INTERFACE)
        for ip in port['fixed_ips']
    ]


def _needed(store, router, subnets) -> list[Row]:
    """The floating IPs of these subnets that go through the router."""
    found = []
    for floating in store.find('floatingips', floating_network_id=_gateway(router)):
        port = store.tables['ports'].get(floating.get('port_id'))
        if port and port['fixed_ips'][0]['subnet_id'] in subnets:
            found.append(floating)
    return found
