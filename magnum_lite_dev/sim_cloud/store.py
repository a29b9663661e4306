"""The state of the simulated cloud: tables of plain rows, one lock, one JSON file."""

import ipaddress
import json
import pathlib
import threading
from typing import Any

from magnum_lite_dev.sim_cloud import seed
from magnum_lite_dev.sim_cloud.faults import Faults
from magnum_lite_dev.sim_cloud.request import Refusal, new_id

Row = dict[str, Any]

# The addresses below belong to gateways and DHCP servers in real clouds.
FIRST_HOST = 10


class Store:
    """``tables`` is {collection: {id: row}}; whoever reads or writes holds ``lock``.

    Keys that begin with an underscore are never shown by a simulated API.
    """

    def __init__(self, external_cidr=seed.EXTERNAL_CIDR) -> None:
        self.lock = threading.RLock()
        self.faults = Faults()
        self.tables = {}
        self.changes = 0
        self._next_host = {}
        seed.fill(self, external_cidr)

    def rows(self, table) -> list[Row]:
        """The rows of a table, as a list that stays as it is."""
        return list(self.tables.get(table, {}).values())

    def put(self, table, row) -> Row:
        """The row, stored; it gets an ``id`` if it has none."""
        row.setdefault('id', new_id())
        self.tables.setdefault(table, {})[row['id']] = row
        return row

    def get(self, table, key) -> Row:
        """The row of that id.

        :raises Refusal: 404.
        """
        row = self.tables.get(table, {}).get(key)
        if row is None:
            raise Refusal(404, f'{table} {key} could not be found')
        return row

    def find(self, table, **match) -> list[Row]:
        """All rows whose values equal ``match``."""
        return [
            row
            for row in self.rows(table)
            if all(row.get(key) == value for key, value in match.items())
        ]

    def drop(self, table, key) -> Row:
        """The row, taken out of its table.

        :raises Refusal: 404.
        """
        self.get(table, key)
        return self.tables[table].pop(key)

    def allocate_address(self, subnet_id, wanted=None) -> str:
        """A free address of the subnet as text, or ``wanted`` if nobody has it.

        :raises Refusal: 409, in use or no more left; 400, not of this subnet.
        """
        subnet = self.get('subnets', subnet_id)
        net = ipaddress.ip_network(subnet['cidr'])
        used = {
            ip['ip_address']
            for port in self.rows('ports')
            for ip in port['fixed_ips']
            if ip['subnet_id'] == subnet_id
        }
        if wanted:
            if wanted in used:
                raise Refusal(409, f'IP address {wanted} already allocated in subnet {subnet_id}')
            if ipaddress.ip_address(wanted) not in net:
                raise Refusal(
                    400, f'IP address {wanted} is not a valid IP for the specified subnet.'
                )
            return wanted
        host = self._next_host.get(subnet_id, FIRST_HOST)
        for _ in range(net.num_addresses):
            host = host + 1 if host + 1 < net.num_addresses - 1 else FIRST_HOST
            address = str(net[host])
            if address not in used and address != subnet.get('gateway_ip'):
                self._next_host[subnet_id] = host
                return address
        raise Refusal(409, f'No more IP addresses available on network {subnet["network_id"]}.')

    def save(self, path) -> None:
        """Write everything but the faults to ``path``, all or nothing."""
        path = pathlib.Path(path)
        with self.lock:
            text = json.dumps({'tables': self.tables, 'next_host': self._next_host})
        fresh = path.with_suffix('.new')
        fresh.write_text(text)
        fresh.replace(path)

    def load(self, path) -> None:
        """Take over what :meth:`save` wrote; nothing happens when there is no such file."""
        path = pathlib.Path(path)
        if path.exists():
            saved = json.loads(path.read_text())
            with self.lock:
                self.tables = saved['tables']
                self._next_host = saved['next_host']
