"""Nobody waits for ever for a notification that the broker refuses, nor is one given up."""

from collections import Counter

import pytest

from magnum_lite.conductor.patience import ASIDE_S, TRIES, Patience


class Outbox:
    """Notifications (id, cluster) and a broker that takes some; what the sender does with them."""

    def __init__(self, *clusters):
        self.rows = list(enumerate(clusters, 1))
        self.refused = set()
        self.is_away = False
        self.went, self.tries, self.time = [], Counter(), 0
        self.patience = Patience(lambda: self.time)

    def round(self, count=1):
        for _ in range(count):
            self._pass()
            if self.patience.again():
                self._pass()
            self.time += 1

    def _pass(self):
        self.patience.start_pass()
        for ident, cluster in list(self.rows):
            if not self.patience.may_go(ident, cluster):
                continue
            self.tries[ident] += 1
            if self.is_away or ident in self.refused:
                if not self.patience.failed(ident, cluster):
                    return
            else:
                self.patience.went(ident)
                self.went.append(ident)
                self.rows.remove((ident, cluster))

    def add(self, cluster):
        """One more."""
        ident = max([*self.went, *dict(self.rows)]) + 1
        self.rows.append((ident, cluster))
        return ident


def test_others_go_at_once_and_those_of_its_cluster_later():
    box = Outbox('a', 'a', 'b', 'c', 'b')
    box.refused = {1}
    box.round(2)
    assert box.went == [3, 4, 5]
    for _ in range(TRIES):
        box.add('b')
        assert 2 not in box.went or box.tries[1] >= TRIES
        box.round(2)
    box.round(2)
    assert 2 in box.went
    assert [ident for ident, _ in box.rows] == [1]


@pytest.mark.parametrize('bad', [2, 5, 20])
def test_many_that_are_refused_hold_back_no_other(bad):
    box = Outbox(*(f'bad-{number}' for number in range(bad)), 'good', 'good', 'fine')
    box.refused = set(range(1, bad + 1))
    box.round(2 * bad)
    assert sorted(box.went) == [bad + 1, bad + 2, bad + 3]


def test_a_refused_one_is_tried_again_each_hour_and_sent_in_the_end():
    box = Outbox('a', 'b')
    box.refused = {1}
    for _ in range(2 * TRIES):
        box.add('b')
        box.round()
    tries = box.tries[1]
    box.round(50)
    assert box.tries[1] == tries
    box.time += ASIDE_S
    box.round(2)
    assert box.tries[1] > tries
    box.refused.clear()
    box.time += ASIDE_S
    box.round()
    assert not box.rows


def test_nothing_is_blamed_while_the_broker_is_away():
    """However long that is: then all go, those of a cluster in order."""
    box = Outbox(*'abcabcabc')
    box.is_away = True
    box.round(1000)
    assert sum(box.tries.values()) <= 1001  # one a round
    box.is_away = False
    box.round()
    assert sorted(box.went) == list(range(1, 10))
    assert [[ident for ident in box.went if ident % 3 == rest] for rest in range(3)] == [
        [3, 6, 9],
        [1, 4, 7],
        [2, 5, 8],
    ]
