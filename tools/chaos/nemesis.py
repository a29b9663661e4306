"""What goes wrong and when: chosen from a seed alone, so that a seed repeats a schedule."""

import random
import threading
import time
from dataclasses import dataclass

GAP_S = (1.0, 4.0)
LASTS_S = (2.0, 8.0)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    :ivar at_s: when, since the storm began.
    :ivar lasts_s: when it is healed, since then.
    :ivar target: the name of a door or of a process.
    """

    at_s: float
    lasts_s: float
    target: str
    kind: str

    def __str__(self):
        return f'{self.at_s:6.1f} s: {self.target} {self.kind} for {self.lasts_s:.1f} s'


def schedule(seed, seconds, kinds, *, least_s=0.0):
    """Faults one after the other, each kind once before any comes again.

    :param seconds: all are healed by then.
    :param kinds: {target: kinds of its faults}.
    :param least_s: what each lasts on top of the usual.
    """
    chooser = random.Random(seed)  # noqa: S311 - chooses, hides nothing
    every = sorted((target, kind) for target, names in kinds.items() for kind in names)
    faults, bag, at_s = [], [], 0.0
    while every:
        at_s += chooser.uniform(*GAP_S)
        lasts_s = least_s + chooser.uniform(*LASTS_S)
        if at_s + lasts_s > seconds:
            break
        if not bag:
            bag = chooser.sample(every, len(every))
        faults.append(Fault(at_s, lasts_s, *bag.pop()))
        at_s += lasts_s
    return faults


class Nemesis(threading.Thread):
    """Makes the faults of a schedule, and heals the last one when it is stopped.

    :param victims: {target: object with ``hurt(kind)`` and ``heal()``}.
    :param say: gets a line for each fault.
    :ivar made: the faults that were made, and ``spans`` their (begin, end), monotonic seconds.
    :ivar error: what ended it too soon, None when nothing did.
    """

    def __init__(self, faults, victims, say):
        super().__init__(name='nemesis', daemon=True)
        self._faults = faults
        self._victims = victims
        self._say = say
        self._stopping = threading.Event()
        self.made = []
        self.spans = []
        self.error = None

    def stop(self):
        """Heal what is hurt, and end."""
        self._stopping.set()

    def run(self):
        """Make one fault after the other."""
        begun = time.monotonic()
        try:
            for fault in self._faults:
                if self._stopping.wait(max(0, begun + fault.at_s - time.monotonic())):
                    return
                self._make(fault)
        except OSError as error:
            self.error = error

    def _make(self, fault):
        victim = self._victims[fault.target]
        self._say(str(fault))
        begun = time.monotonic()
        victim.hurt(fault.kind)
        try:
            self._stopping.wait(fault.lasts_s)
        finally:
            victim.heal()
        self.made.append(fault)
        self.spans.append((begun, time.monotonic()))
