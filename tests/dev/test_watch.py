"""What the demonstration counts while it waits: Heat's resources, or the things of a phase."""

import io
import re
import types

import pytest

from magnum_lite_dev.screen import Screen
from magnum_lite_dev.watch import Watch

HEAT = types.SimpleNamespace(catalog={'orchestration': 'http://127.0.0.1/%(project_id)s'})


class Terminal(io.StringIO):
    """One that shows a bar."""

    def isatty(self):
        """It is."""
        return True


class Canned(Watch):
    """A service with one cluster and one operation, which is done at the second look."""

    def __init__(self, **operation):
        super().__init__('http://127.0.0.1', HEAT)
        self._statuses = iter(['UPDATE_IN_PROGRESS', 'UPDATE_COMPLETE'])
        self._operations = [
            {'kind': 'create', 'state': 'DONE', 'phase_total': 9},
            {'kind': 'upgrade', 'state': 'WAITING', **operation},
        ]

    def get(self, path):
        """The documents."""
        if path.endswith('/operations'):
            return {'operations': self._operations}
        return {'status': next(self._statuses)}

    def resources(self):
        """As Heat has them."""
        return 7, 14


@pytest.mark.parametrize(
    ('operation', 'shown'),
    [
        (
            {'phase': None, 'phase_total': None, 'progress': None},
            '[######------] 7/14 resources  {}  upgrade: about to begin',
        ),
        (
            {
                'phase': 'stacks',
                'phase_done': 1,
                'phase_total': 3,
                'phase_left_s': 40,
                'progress': 'next magnum-c-base',
            },
            '[######------] 7/14 resources  {}  about 40 s left  upgrade: next base',
        ),
        (
            {
                'phase': 'drain',
                'phase_done': 1,
                'phase_total': 4,
                'phase_left_s': None,
                'progress': 'x',
            },
            '[###---------] 1/4 drain  {}  upgrade: x',
        ),
        (
            {'phase': 'look', 'phase_done': None, 'phase_total': None, 'progress': 'x'},
            '[######------] 7/14 resources  {}  upgrade: x',
        ),
    ],
)
def test_the_bar_counts_what_tells_most(monkeypatch, operation, shown):
    monkeypatch.setattr('magnum_lite_dev.watch.PAUSE_S', 0)
    for name, value in (('TERM', 'xterm'), ('COLUMNS', '120')):
        monkeypatch.setenv(name, value)
    stream = Terminal()
    Canned(**operation).follow(Screen(stream), 'c', 'UPDATE_COMPLETE', timeout_s=60)
    assert re.sub(r'\d+\.\d s', '{}', stream.getvalue().partition('  ')[2]) == shown
