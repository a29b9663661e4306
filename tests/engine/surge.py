"""A driver whose upgrade has three phases: make new nodes, drain the old ones, remove them."""

import dataclasses
import json

from magnum_lite.driver_sdk import Done, Plan, Waiting
from magnum_lite_dev.rig.tiny import Tiny

PHASES = ('stacks', 'drain', 'leftover')


class Surge(Tiny):
    """As Tiny, with new stacks for a new image of a group: all of its own making.

    :param log: a file that gets a line for each step of an upgrade, and for each node drained.
    """

    contract = (1, 1)

    def __init__(self, log):
        self.log = log

    def _note(self, *words):
        with self.log.open('a') as file:
            file.write(json.dumps(words) + '\n')

    def lines(self, word):
        """What was noted of that kind, oldest first."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [line[1:] for line in lines if line[0] == word]

    def check(self, nodes):
        """Fails unless each step was told of no older place than the one before, and all nodes were
        drained in order, none twice but for what nobody could know of."""
        told = [
            (-1 if phase is None else PHASES.index(phase), cursor or 0)
            for phase, cursor in self.lines('told')
        ]
        assert told == sorted(told), told
        drained = [node for (node,) in self.lines('drained')]
        assert drained == sorted(drained) and set(drained) == set(range(nodes)), drained
        assert len(drained) <= nodes + 1, drained

    def forget(self):
        """Begin the log anew."""
        self.log.write_text('')

    def plan(self, spec, /):
        """Names of stacks have the number of the image."""
        base, *groups = super().plan(spec)
        return Plan(
            (
                base,
                *(
                    dataclasses.replace(
                        stack,
                        key=f'{stack.key}-{_number(group)}',
                        name=f'{stack.name}-{_number(group)}',
                    )
                    for group, stack in zip(spec.worker_groups, groups, strict=True)
                ),
            )
        )

    def _both(self, spec):
        """The stacks of the plan, and those of the image before."""
        before = dataclasses.replace(
            spec,
            node_groups=tuple(
                dataclasses.replace(group, image=str(_number(group) - 1))
                for group in spec.node_groups
            ),
        )
        return Plan((*self.plan(spec).stacks, *self.plan(before).stacks[1:]))

    def upgrade(self, cloud, spec, /):
        """One step."""
        self._note('told', spec.phase, spec.cursor)
        if spec.phase in (None, 'stacks'):
            progress = self.converge(cloud, spec, self._both(spec))
            if not isinstance(progress, Done):
                return progress
        total = sum(group.node_count for group in spec.worker_groups)
        drained = spec.cursor if spec.phase == 'drain' else 0
        if spec.phase != 'leftover' and drained < total:
            self._note('drained', drained)
            return Waiting(
                f'drained node {drained}',
                0,
                phase='drain',
                done=drained + 1,
                total=total,
                cursor=drained + 1,
            )
        return self.converge(cloud, spec, self.plan(spec))


def _number(group):
    """Images are numbers here, but for the first."""
    return int(group.image) if group.image.isdigit() else 1
