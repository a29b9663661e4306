"""All networks of one cloud that are there: switches, load balancers and routers."""

import logging
import pathlib
import threading
from typing import Any

from magnum_lite_dev.nodes import balancing, plan
from magnum_lite_dev.nodes.balancer import Balancer
from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.nodes.metadata import documents
from magnum_lite_dev.nodes.router import Router
from magnum_lite_dev.nodes.switch import Switch
from magnum_lite_dev.sim_cloud.store import Row

LOG = logging.getLogger(__name__)


class Fabric:
    """What stands between nodes; :meth:`settle` makes it what the rows say.

    :param edge: the :class:`~magnum_lite_dev.nodes.edge.Edge`.
    :param owner: tag of the state directory.
    :param groups: control groups of its processes.
    """

    def __init__(self, store, edge, owner, directory, groups) -> None:
        self._store = store
        self._edge = edge
        self._owner = owner
        self._files = pathlib.Path(directory) / 'networks'
        self._groups = groups
        self._switches, self._balancers, self._routers = {}, {}, {}
        self._is_closed = False
        self._settling = threading.RLock()

    def settle(self) -> None:
        """Make it what the rows of the cloud say.

        :raises Broken: a switch is not as it should be. What else is not is in the log: no server
            fails for a load balancer.
        """
        with self._settling:
            if self._is_closed:
                return
            with self._store.lock:
                tables = self._store.tables
                booting = plan.booting_servers(tables)
                networks = plan.networks(tables, booting)
                balancers = balancing.balancers(tables, networks)
                routers = plan.routers(tables, networks, booting)
                simulated = plan.simulated(tables, booting)
            self._edge.answer_at(simulated)
            parts = (
                (self._routers, routers, self._router),
                (self._balancers, balancers, self._balancer),
                (self._switches, networks, self._switch),
            )
            for there, wanted, _ in parts:
                for gone in set(there) - set(wanted):
                    there.pop(gone).close()
            # Switches first: the others are plugged into them.
            for there, wanted, make in reversed(parts):
                for row_id, what in wanted.items():
                    if row_id not in there:
                        there[row_id] = make(row_id)
                    try:
                        there[row_id].settle(what)
                    except Broken:
                        if there is self._switches:
                            raise
                        LOG.exception('%s is not as it should be', there[row_id].name)

    def _switch(self, network_id) -> Switch:
        return Switch(
            network_id,
            self._owner,
            self._files,
            self._groups,
            lambda address: self._describe(network_id, address),
        )

    def _balancer(self, balancer_id) -> Balancer:
        return Balancer(balancer_id, self._owner, self._files, self._groups)

    def _router(self, router_id) -> Router:
        return Router(router_id, self._owner, self._edge)

    def _describe(self, network_id, address) -> tuple[dict[str, Any], Row] | None:
        with self._store.lock:
            tables = self._store.tables
            for port in tables['ports'].values():
                if port['network_id'] == network_id and any(
                    ip['ip_address'] == address for ip in port['fixed_ips']
                ):
                    row = tables['servers'].get(port['device_id'])
                    return row and (documents(tables, row), row)
        return None

    def close(self) -> None:
        """Be gone."""
        with self._settling:
            self._is_closed = True
            for parts in (self._routers, self._balancers, self._switches):
                for part in parts.values():
                    part.close()
