"""Where the drivers of a worker build, and whether their nodes fetch their secrets."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from oslo_config import cfg

from magnum_lite.cloud import address
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.heat.backend import HeatBackend
from magnum_lite.conductor.registry import BadDriver, Registry
from magnum_lite.driver_sdk import Driver
from magnum_lite.driver_sdk.backend import HEAT, Backend

OURS = {HEAT: HeatBackend}  # by the word that drivers use


def enrols(conf: cfg.ConfigOpts, driver: Driver) -> bool:
    """Whether the nodes of a driver fetch their secrets from the service."""
    kind = OURS[driver.backend] if isinstance(driver.backend, str) else driver.backend
    return bool(conf.enrolment.enabled and kind.enrols and (driver.authorities or driver.tokens))


class Backends:
    """The backends of one worker.

    :raises BadDriver: a driver names one that the service does not have, or brings what is none.
    """

    def __init__(self, conf: cfg.ConfigOpts, registry: Registry, clients: Clients):
        self._conf = conf
        self._registry = registry
        self._clients = clients
        self._ours: dict[str, Backend] = {name: made(conf, clients) for name, made in OURS.items()}
        for driver in registry:
            backend: object = driver.backend  # anything: the package is somebody's
            if isinstance(backend, str) and backend not in OURS:
                raise BadDriver(
                    name=driver.name, reason=f'backend {backend!r} is none of {", ".join(OURS)}'
                )
            if not isinstance(backend, str | Backend):
                raise BadDriver(name=driver.name, reason=f'backend {backend!r} is no Backend')
            if not isinstance(backend, Hashable):  # as a dataclass that is not frozen
                raise BadDriver(name=driver.name, reason=f'backend {backend!r} has no hash')

    def __iter__(self) -> Iterator[Backend]:
        """Those that its drivers use, each once."""
        return iter({id(found): found for found in map(self.of, self._registry)}.values())

    def of(self, driver: Driver) -> Backend:
        """Where a driver builds."""
        return self._ours[driver.backend] if isinstance(driver.backend, str) else driver.backend

    def named(self, plugin: str) -> Backend | None:
        """Where the driver of an entry point builds; None if it is not on this host."""
        try:
            return self.of(self._registry.get(plugin))
        except BadDriver:
            return None

    def enrolment_url(self, who: Mapping[str, Any], driver: Driver) -> str | None:
        """Where the nodes of a cluster fetch their secrets; None where that is switched off.

        :param who: the identity of the cluster.
        :raises NoAddress: nobody says it, and the driver has secrets.
        :raises CloudError: see ``address.of_api``.
        """
        if not enrols(self._conf, driver):
            return None
        return address.of_api(self._conf, self._clients.session(who))
