"""The backend of the service's own: Heat, see ``driver_sdk.backend``."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from oslo_config import cfg

from magnum_lite.cloud.heat import Heat
from magnum_lite.conductor.clients import Clients, Kept
from magnum_lite.conductor.heat.access import HeatAccess, LeasedHeat
from magnum_lite.conductor.heat.listener import listener
from magnum_lite.driver_sdk import StackView, tags
from magnum_lite.driver_sdk.backend import Backend, Lease, Listener, Look


class NoHeat:
    """Stands for a Heat that nobody can ask any more: there is nothing in it."""

    def list(self, tag: str) -> list[Any]:
        """Nothing."""
        return []

    def get(self, stack: str) -> None:
        """Nothing."""


class HeatBackend(Backend):
    """Heat in all projects.

    :param clients: whose sessions are used.
    """

    title: ClassVar[str] = 'Heat'
    noun: ClassVar[str] = 'stack'
    enrols: ClassVar[bool] = True

    def __init__(self, conf: cfg.ConfigOpts, clients: Clients):
        self._conf = conf
        self._clients = clients
        self._heats: Kept[Heat] = Kept(self._make)

    def heat(self, who: Mapping[str, Any]) -> Heat:
        """Heat in the project of an identity."""
        return self._heats.get(who)

    def _make(self, who: Mapping[str, Any]) -> Heat:
        return Heat(
            self._conf,
            self._clients.session(who),
            who['project_id'] if who['mode'] == 'own' else None,
        )

    def open(self, who: Mapping[str, Any], lease: Lease, look: Look | None = None) -> HeatAccess:
        """Heat in the project of an identity, for a step."""
        return self._access(self.heat(who), lease, look)

    def shut(self, lease: Lease) -> HeatAccess:
        """A Heat without stacks."""
        return self._access(NoHeat(), lease)

    def _access(self, heat: Any, lease: Any, look: Look | None = None) -> HeatAccess:
        return HeatAccess(
            LeasedHeat(
                heat,
                lease,
                timeout_s=self._conf.cloud.heat_timeout_s,
                seen=cast('Mapping[str, Sequence[StackView]] | None', look),
            )
        )

    def look(self, who: Mapping[str, Any]) -> Look:
        """The stacks of a project, by one list."""
        found: dict[str, list[StackView]] = defaultdict(list)
        for stack in self.heat(who).list(tags.OURS):
            found[stack.cluster or ''].append(stack)
        return found

    def listeners(self, hurry: Callable[[str], None]) -> Sequence[Listener]:
        """Of Heat's notifications, where that is switched on."""
        return [listener(self._conf, hurry)] if self._conf.conductor.listen else []
