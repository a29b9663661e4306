"""Managers made anew, one after the other: upgrades and new authorities need it.

The base stack says what each manager is made of. One that differs from what is wanted leaves the
others in good order, Heat makes it anew, and the next one's turn comes once it is in the swarm
again. The only manager of a cluster hands its state on to a spare one before, and gets it back.
"""

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from magnum_lite.driver_sdk import DONE, ClusterSpec, Plan, Progress, StackView, Waiting, enrolment
from magnum_lite_swarm import demote

# What is another on the way than in the plan at its end.
ON_THE_WAY = frozenset({'made_of', 'spare', 'manager_signals'})


@dataclasses.dataclass(frozen=True)
class Managers:
    """What the managers of a cluster are, by parameters of its base stack.

    :ivar made_of: see the template.
    :ivar spare: whether there is one more.
    """

    made_of: tuple[Any, ...]
    spare: bool

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> 'Managers':
        """From those of a plan, or of a stack: Heat shows them as text."""
        made_of = parameters['made_of']
        return cls(
            tuple(json.loads(made_of) if isinstance(made_of, str) else made_of),
            str(parameters['spare']).lower() == 'true',
        )

    def within(self, plan: Plan) -> Plan:
        """A plan whose base stack has these managers, and waits for the one that is made anew."""
        base, *others = plan.stacks
        values = {'made_of': list(self.made_of), 'spare': self.spare, 'manager_signals': 1}
        changed = dataclasses.replace(
            base, parameters={**base.parameters, **values}, kept=base.kept - ON_THE_WAY
        )
        return Plan((changed, *others))


@dataclasses.dataclass(frozen=True)
class Turn:
    """The next managers on the way.

    :ivar leaves: id of the server that has to leave the others before.
    :ivar anew: ids and names of what is made anew.
    """

    managers: Managers
    leaves: str | None
    anew: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Roll:
    """The way of the managers of a cluster to what a plan makes of them.

    :ivar view: the base stack, with its outputs.
    :ivar converge: moves the cloud a step towards a plan, in which some things are made anew.
    :ivar leave: as ``demote.step``.
    """

    spec: ClusterSpec
    plan: Plan
    view: StackView
    converge: Callable[[Plan, Mapping[str, Collection[str]]], Progress]
    leave: Callable[[ClusterSpec, str | None, str], Waiting | None]

    def step(self) -> Progress | None:
        """Take a step; None where all are as they should be."""
        now, wanted = Managers.of(self.view.parameters), Managers.of(self.plan.stacks[0].parameters)
        stale = self._stale(now, wanted)
        if not (stale or now.spare):
            return None
        # What a step began that died, or an operation that failed, comes to its end first.
        waiting, again = self._again(now, stale)
        waiting = waiting or self._converge(now, again, stale)
        if waiting:
            return waiting
        turn = self._turn(now, wanted, stale)
        if turn.leaves and (waiting := self._leaves(turn.leaves, stale)):
            return waiting
        # Complete it is by the next step only, which sees what Heat has made.
        return self._converge(turn.managers, turn.anew, stale) or Waiting(
            'managers are made anew', 0, phase=demote.PHASE
        )

    def _stale(self, now: Managers, wanted: Managers) -> list[int]:
        count = self.spec.control_plane.node_count
        return [index for index in range(count) if now.made_of[index] != wanted.made_of[index]]

    def _again(self, now: Managers, stale: list[int]) -> tuple[Progress | None, tuple[str, ...]]:
        """What an update that failed was to make anew besides what its stack remembers."""
        if not self.view.failed:
            return None, ()
        spare = self.view.outputs.get('spare')
        if now.spare and stale and spare:
            # It may not have booted, and may be in the swarm, which it must not leave at once.
            return self._leaves(spare, stale), (spare, enrolment.HANDLE)
        return None, (enrolment.HANDLE,)

    def _turn(self, now: Managers, wanted: Managers, stale: list[int]) -> Turn:
        count = self.spec.control_plane.node_count
        made_of = [*now.made_of[:count], *wanted.made_of[count:]]
        if count == 1 and stale and not now.spare:
            return Turn(Managers(tuple(made_of), True), None, (enrolment.HANDLE,))
        if stale:
            server = str(self.view.outputs['refs_map'][str(stale[0])])
            made_of[stale[0]] = wanted.made_of[stale[0]]
            return Turn(Managers(tuple(made_of), now.spare), server, (server, enrolment.HANDLE))
        return Turn(Managers(tuple(made_of), False), str(self.view.outputs['spare']), ())

    def _leaves(self, server: str, stale: list[int]) -> Waiting | None:
        waiting = self.leave(self.spec, self.view.outputs.get('api_address'), server)
        return self._counted(waiting, stale) if waiting else None

    def _converge(
        self, managers: Managers, anew: Collection[str], stale: list[int]
    ) -> Progress | None:
        """A step of Heat's; None when it has nothing left to do."""
        progress = self.converge(managers.within(self.plan), {'base': anew})
        if isinstance(progress, Waiting):
            return dataclasses.replace(
                self._counted(progress, stale), phase=demote.PHASE, cursor=None
            )
        return None if progress == DONE else progress

    def _counted(self, waiting: Waiting, stale: list[int]) -> Waiting:
        total = self.spec.control_plane.node_count
        return dataclasses.replace(waiting, done=total - len(stale), total=total)
