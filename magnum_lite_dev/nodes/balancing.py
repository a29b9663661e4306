"""What load balancers of Octavia should be, by their rows: configurations of haproxy."""

import dataclasses

from magnum_lite_dev.nodes.plan import prefix_length
from magnum_lite_dev.sim_cloud.store import Row

# Octavia's own, in milliseconds.
CLIENT_MS, MEMBER_MS, CONNECT_MS = 50000, 50000, 5000
METHODS = {'ROUND_ROBIN': 'roundrobin', 'LEAST_CONNECTIONS': 'leastconn', 'SOURCE_IP': 'source'}
HTTP = ('HTTP',)
GLOBAL = """\
global
    maxconn 2000
    log stdout format raw local0
defaults
    log global
    retries 3
    option redispatch
"""


@dataclasses.dataclass(frozen=True)
class Balancer:
    """A load balancer in a network that is there.

    :ivar address: of its port, with the prefix length.
    :ivar text: its haproxy's configuration; None without a listener.
    """

    id: str
    network: str
    port: str
    mac: str
    mtu: int
    address: str
    gateway: str | None
    text: str | None


def balancers(tables, there) -> dict[str, Balancer]:
    """{id: balancer} of those whose address is in a network that is there.

    :param there: ids of the networks.
    """
    found = {}
    for row in tables.get('loadbalancers', {}).values():
        port = tables['ports'].get(row.get('vip_port_id') or '')
        if port and port['network_id'] in there:
            fixed = port['fixed_ips'][0]
            found[row['id']] = Balancer(
                id=row['id'],
                network=port['network_id'],
                port=port['id'],
                mac=port['mac_address'],
                mtu=tables['networks'][port['network_id']]['mtu'],
                address=f'{fixed["ip_address"]}/{prefix_length(tables, fixed["subnet_id"])}',
                gateway=tables['subnets'][fixed['subnet_id']]['gateway_ip'],
                text=_text(tables, row, fixed['ip_address']),
            )
    return found


def _text(tables, balancer, address) -> str | None:
    parts = []
    for listener in tables.get('listeners', {}).values():
        owners = {each['id'] for each in listener.get('loadbalancers') or ()}
        if balancer['id'] in owners | {listener.get('loadbalancer_id')}:
            parts += _listener(tables, listener, address)
    return GLOBAL + '\n'.join([*parts, '']) if parts else None


def _listener(tables, row, address) -> list[str]:
    if row.get('admin_state_up') is False:
        return []
    mode = 'http' if row['protocol'] in HTTP else 'tcp'
    lines = [
        f'frontend {row["id"]}',
        f'    mode {mode}',
        f'    bind {address}:{row["protocol_port"]}',
        f'    timeout client {row.get("timeout_client_data") or CLIENT_MS}ms',
    ]
    if (row.get('connection_limit') or -1) > 0:
        lines.append(f'    maxconn {row["connection_limit"]}')
    pool = _pool_of(tables, row)
    if pool is None:
        return lines
    return [
        *lines,
        f'    default_backend {row["id"]}-{pool["id"]}',
        *_pool(tables, row, pool, mode),
    ]


def _pool_of(tables, listener) -> Row | None:
    pools = tables.get('pools', {})
    return pools.get(listener.get('default_pool_id') or '') or next(
        (pool for pool in pools.values() if pool.get('listener_id') == listener['id']), None
    )


def _pool(tables, listener, row, mode) -> list[str]:
    lines = [
        f'backend {listener["id"]}-{row["id"]}',
        f'    mode {mode}',
        f'    balance {METHODS.get(row.get("lb_algorithm"), "roundrobin")}',
        f'    timeout connect {listener.get("timeout_member_connect") or CONNECT_MS}ms',
        f'    timeout server {listener.get("timeout_member_data") or MEMBER_MS}ms',
    ]
    monitor = next(
        (
            each
            for each in tables.get('healthmonitors', {}).values()
            if each['pool_id'] == row['id']
        ),
        None,
    )
    check = ''
    if monitor:
        check = f' check inter {monitor["delay"]}s rise {monitor["max_retries"]}'
        check += f' fall {monitor.get("max_retries_down") or 3}'
        lines.append(f'    timeout check {monitor["timeout"]}s')
        if monitor['type'] in ('HTTP', 'HTTPS'):
            method, path = monitor.get('http_method') or 'GET', monitor.get('url_path') or '/'
            lines.append(f'    option httpchk {method} {path}')
            lines.append(f'    http-check expect rstatus {_codes(monitor)}')
            check += ' check-ssl verify none' if monitor['type'] == 'HTTPS' else ''
    proxy = ' send-proxy' if row.get('protocol') == 'PROXY' else ''
    for member in tables.get('members', {}).values():
        if member['_parent'] == row['id'] and member.get('admin_state_up') is not False:
            weight = 1 if member.get('weight') is None else member['weight']
            lines.append(
                f'    server {member["id"]} {member["address"]}:{member["protocol_port"]} '
                f'weight {weight}{check}{proxy}{" backup" * bool(member.get("backup"))}'
            )
    return lines


def _codes(monitor) -> str:
    """``200``, ``200,202`` or ``200-204`` as an expression."""
    codes = str(monitor.get('expected_codes') or '200')
    if '-' in codes:
        first, last = (int(code) for code in codes.split('-'))
        codes = ','.join(str(code) for code in range(first, last + 1))
    return codes.replace(',', '|').replace(' ', '')
