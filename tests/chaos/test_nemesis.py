"""What the nemesis chooses, and that it heals."""

from tools.chaos.nemesis import Nemesis, schedule

KINDS = {'heat': ['cut', 'lose'], 'broker': ['stall']}


class Victim:
    def __init__(self):
        self.felt = []

    def hurt(self, kind):
        self.felt.append(kind)

    def heal(self):
        self.felt.append('healed')


def test_a_seed_repeats_its_schedule_and_another_does_not():
    assert schedule(7, 300, KINDS) == schedule(7, 300, KINDS) != schedule(8, 300, KINDS)


def test_each_kind_comes_before_any_comes_again_and_all_are_healed_in_time():
    faults = schedule(7, 300, KINDS)
    assert sorted((fault.target, fault.kind) for fault in faults[:3]) == [
        ('broker', 'stall'),
        ('heat', 'cut'),
        ('heat', 'lose'),
    ]
    ends = [fault.at_s + fault.lasts_s for fault in faults]
    assert max(ends) <= 300
    assert all(fault.at_s > end for fault, end in zip(faults[1:], ends, strict=False))


def test_what_lasts_beyond_a_lease_says_so():
    assert all(fault.lasts_s > 12 for fault in schedule(7, 300, KINDS, least_s=12))


def test_a_nemesis_that_is_stopped_heals_what_it_hurt():
    victim, lines = Victim(), []
    faults = schedule(7, 60, {'heat': ['cut']})
    nemesis = Nemesis([faults[0], faults[1]], {'heat': victim}, lines.append)
    victim.hurt = lambda kind: (victim.felt.append(kind), nemesis.stop())
    nemesis.start()
    nemesis.join(30)
    assert not nemesis.is_alive() and victim.felt == ['cut', 'healed']
    assert lines == [str(faults[0])] and nemesis.error is None
    ((begin, end),) = nemesis.spans
    assert nemesis.made == [faults[0]] and begin <= end
