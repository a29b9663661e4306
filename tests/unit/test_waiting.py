"""When the conductor looks again after a step that is not the last."""

import types

import pytest

from magnum_lite.conductor import waiting
from magnum_lite.driver_sdk import Waiting
from magnum_lite.objects import Operation

OPTIONS = types.SimpleNamespace(poll_min_s=1, poll_max_s=60)


@pytest.mark.parametrize(
    ('progress', 'least_s', 'most_s'),
    [
        (Waiting('draining', phase='drain', done=1, total=3, cursor='other'), 16, 24),
        (Waiting('draining'), 16, 24),
        (Waiting(''), 16, 24),
        (Waiting('draining', phase='drain', done=2, total=3), 0.8, 1.2),
        (Waiting('draining', phase='drain', done=1, total=4), 0.8, 1.2),
        (Waiting('draining', phase='leftover'), 0.8, 1.2),
        (Waiting('other'), 0.8, 1.2),
        (Waiting('other', trouble='no'), 16, 24),
        (Waiting('other', 7, trouble='no'), 7, 7),
    ],
)
def test_a_look_comes_soon_after_news_and_later_each_time_without(progress, least_s, most_s):
    operation = Operation.new(
        progress='draining', phase='drain', phase_done=1, phase_total=3, interval_ms=10_000
    )
    assert least_s <= waiting.pause_s(OPTIONS, operation, progress) <= most_s
