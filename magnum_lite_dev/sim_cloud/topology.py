"""How the rows of a network fit together: what a new one gets, what a deleted one takes along."""

import ipaddress
import random

from magnum_lite_dev.sim_cloud import quotas, reach
from magnum_lite_dev.sim_cloud.request import Refusal, now
from magnum_lite_dev.sim_cloud.store import Row

DEFAULTS = {
    'networks': {
        'name': '',
        'subnets': [],
        'admin_state_up': True,
        'shared': False,
        'mtu': 1450,
        'router:external': False,
        'port_security_enabled': True,
    },
    'subnets': {
        'name': '',
        'enable_dhcp': True,
        'dns_nameservers': [],
        'host_routes': [],
        'allocation_pools': [],
        'ip_version': 4,
    },
    'ports': {
        'name': '',
        'admin_state_up': True,
        'device_id': '',
        'device_owner': '',
        'fixed_ips': [],
        'security_groups': [],
        'allowed_address_pairs': [],
        'dns_name': '',
        'port_security_enabled': True,
        'extra_dhcp_opts': [],
        'binding:vnic_type': 'normal',
    },
    'routers': {
        'name': '',
        'admin_state_up': True,
        'routes': [],
        'external_gateway_info': None,
        'distributed': False,
        'ha': False,
    },
    'floatingips': {
        'port_id': None,
        'fixed_ip_address': None,
        'router_id': None,
        'description': '',
    },
    'security-groups': {'description': '', 'security_group_rules': []},
    'security-group-rules': {
        'protocol': None,
        'port_range_min': None,
        'port_range_max': None,
        'remote_group_id': None,
        'remote_ip_prefix': None,
        'ethertype': 'IPv4',
    },
}


def create(store, table, given, project) -> Row:
    """The new row, with the defaults of its collection and what follows from its own values.

    :raises Refusal: 400, 404, 409 as Neutron does.
    """
    quotas.check_row(store, table, project)
    # A copy of the defaults: their lists are filled later, row by row.
    row = {
        key: list(value) if isinstance(value, list) else value
        for key, value in DEFAULTS.get(table, {}).items()
    }
    row.update(
        given,
        project_id=project,
        tenant_id=project,
        status='ACTIVE',
        tags=[],
        created_at=now(),
        updated_at=now(),
        revision_number=1,
    )
    if table == 'subnets':
        _complete_subnet(store, row)
    elif table == 'ports':
        _complete_port(store, row, given)
    elif table == 'floatingips':
        _complete_floating_ip(store, row, project)
    elif table == 'security-group-rules':
        _check_rule(store, row)
    store.put(table, row)
    if table == 'subnets':
        store.get('networks', row['network_id'])['subnets'].append(row['id'])
    elif table == 'security-groups':
        for version in ('IPv4', 'IPv6'):
            create(
                store,
                'security-group-rules',
                {'security_group_id': row['id'], 'direction': 'egress', 'ethertype': version},
                project,
            )
    elif table == 'security-group-rules':
        store.get('security-groups', row['security_group_id'])['security_group_rules'].append(row)
    settle(store, table, row)
    return row


def settle(store, table, row) -> None:
    """Make the values that follow from others follow them, after any change of a row."""
    if table == 'floatingips':
        _associate(store, row)
    elif table == 'routers':
        _set_gateway(store, row)


def _complete_subnet(store, row) -> None:
    reach.check_subnet(store, row)
    net = ipaddress.ip_network(row['cidr'])
    if row.get('gateway_ip', '') == '':
        row['gateway_ip'] = str(net[1])
    row['allocation_pools'] = row['allocation_pools'] or [
        {'start': str(net[2]), 'end': str(net[-2])}
    ]


def _complete_port(store, row, given) -> None:
    # Neutron gives it the default group of its project, which needs no row here.
    row['_takes_default_group'] = 'security_groups' not in given and not row['device_owner']
    network = store.get('networks', row['network_id'])
    for group in row['security_groups']:
        if group not in store.tables.get('security-groups', {}):
            raise Refusal(404, f'Security group {group} does not exist')
    octets = [random.randrange(256) for _ in range(3)]  # noqa: S311 - an address, no secret
    row.setdefault('mac_address', 'fa:16:3e:' + ':'.join(f'{octet:02x}' for octet in octets))
    # As Neutron does: an address of each version, from the first subnet that has it.
    first = {
        store.get('subnets', subnet)['ip_version']: {'subnet_id': subnet}
        for subnet in reversed(network['subnets'])
    }
    wanted = row['fixed_ips'] or [first[version] for version in sorted(first, reverse=True)]
    row['fixed_ips'] = []
    for ip in wanted:
        subnet_id = ip.get('subnet_id') or next(iter(network['subnets']), None)
        if subnet_id is None:
            raise Refusal(400, f'Network {network["id"]} has no subnet')
        row['fixed_ips'].append(
            {
                'subnet_id': subnet_id,
                'ip_address': store.allocate_address(subnet_id, ip.get('ip_address')),
            }
        )


def _check_rule(store, rule) -> None:
    low, high = rule['port_range_min'], rule['port_range_max']
    if rule['protocol'] in ('tcp', 'udp') and None not in (low, high) and low > high:
        raise Refusal(400, 'For TCP/UDP protocols, port_range_min must be <= port_range_max')
    if rule['remote_ip_prefix'] is not None:
        try:
            ipaddress.ip_network(rule['remote_ip_prefix'], strict=False)
        except ValueError as error:
            told = f'Invalid CIDR {rule["remote_ip_prefix"]} given as IP prefix.'
            raise Refusal(400, told) from error
    if rule['remote_group_id'] is not None:
        store.get('security-groups', rule['remote_group_id'])
    what = (
        'direction',
        'ethertype',
        'protocol',
        'port_range_min',
        'port_range_max',
        'remote_group_id',
        'remote_ip_prefix',
    )
    for other in store.get('security-groups', rule['security_group_id'])['security_group_rules']:
        if all(other[key] == rule[key] for key in what):
            raise Refusal(409, f'Security group rule already exists. Rule id is {other["id"]}.')


def delete(store, table, row) -> None:
    """Take the row out, with what belongs to it.

    :raises Refusal: 409, something still uses it.
    """
    check = _USE.get(table)
    if check:
        check(store, row)
    if table == 'networks':
        for subnet_id in list(row['subnets']):
            store.drop('subnets', subnet_id)
    elif table == 'subnets':
        store.get('networks', row['network_id'])['subnets'].remove(row['id'])
    elif table == 'security-groups':
        for rule in row['security_group_rules']:
            store.drop('security-group-rules', rule['id'])
    elif table == 'security-group-rules':
        group = store.get('security-groups', row['security_group_id'])
        group['security_group_rules'] = [
            rule for rule in group['security_group_rules'] if rule['id'] != row['id']
        ]
    elif table == 'floatingips':
        store.drop('ports', row['_port'])
    elif table == 'ports':
        for floating in store.find('floatingips', port_id=row['id']):
            floating['port_id'] = None
            _associate(store, floating)
    store.drop(table, row['id'])


def _network_in_use(store, row) -> None:
    ports = [port['id'] for port in store.find('ports', network_id=row['id'])]
    if ports:
        raise Refusal(
            409,
            f'Unable to complete operation on network {row["id"]}. There are one '
            'or more ports still in use on the network, id for these ports is: '
            f'{",".join(ports)}.',
        )


def _subnet_in_use(store, row) -> None:
    if any(
        ip['subnet_id'] == row['id'] for port in store.rows('ports') for ip in port['fixed_ips']
    ):
        raise Refusal(
            409,
            f'Unable to complete operation on subnet {row["id"]}: One or more '
            'ports have an IP allocation from this subnet.',
        )


def _router_in_use(store, row) -> None:
    if store.find('ports', device_id=row['id']):
        raise Refusal(409, f'Router {row["id"]} still has ports')


def _group_in_use(store, row) -> None:
    if any(row['id'] in port['security_groups'] for port in store.rows('ports')):
        raise Refusal(409, f'Security Group {row["id"]} in use.')


_USE = {
    'networks': _network_in_use,
    'subnets': _subnet_in_use,
    'routers': _router_in_use,
    'security-groups': _group_in_use,
}


def _complete_floating_ip(store, row, project) -> None:
    port = create(
        store,
        'ports',
        {'network_id': row['floating_network_id'], 'device_owner': 'network:floatingip'},
        project,
    )
    row['floating_ip_address'] = port['fixed_ips'][0]['ip_address']
    row['_port'] = port['id']


def _associate(store, floating) -> None:
    port = store.get('ports', floating['port_id']) if floating.get('port_id') else None
    if port:
        reach.check_floating_ip(store, floating, port)
        address = floating.get('fixed_ip_address') or port['fixed_ips'][0]['ip_address']
        floating.update(fixed_ip_address=address, status='ACTIVE')
    else:
        floating.update(fixed_ip_address=None, status='DOWN')


def _set_gateway(store, router) -> None:
    gateway = router.get('external_gateway_info')
    if gateway and not gateway.get('external_fixed_ips'):
        subnet_id = store.get('networks', gateway['network_id'])['subnets'][0]
        gateway.setdefault('enable_snat', True)
        gateway['external_fixed_ips'] = [
            {'subnet_id': subnet_id, 'ip_address': store.allocate_address(subnet_id)}
        ]
