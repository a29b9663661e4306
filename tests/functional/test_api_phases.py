"""How far a change is, in numbers, and how long its phase may still take."""

import datetime

import pytest

from magnum_lite.db import claims, store
from magnum_lite.objects import Operation

HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def operation(api):
    """(path, write): a creation that a conductor is at, and what sets columns of its row."""
    uuid = api.cluster(api.template())
    path = f'/v1/clusters/{uuid}/operations'
    ident = api.ok('GET', path)['operations'][0]['uuid']
    assert api.db.write(claims.claim, ident, owner='me', lease_s=120)
    return path, lambda **values: api.db.write(store.update, Operation, values, uuid=ident)


def shown(api, path):
    """What the list and the document say of the phase."""
    listed = api.ok('GET', path)['operations'][0]
    one = api.ok('GET', f'{path}/{listed["uuid"]}')
    names = ('phase', 'phase_done', 'phase_total', 'phase_left_s')
    found = tuple(one[name] for name in names)
    assert found == tuple(listed[name] for name in names)
    assert not {'phase_cursor', 'phase_first'} & one.keys()
    return found


def in_phase(done, total, *, first=0, since=HOUR):
    """Columns of an operation that is in a phase for some time already."""
    return {
        'phase': 'drain',
        'phase_done': done,
        'phase_total': total,
        'phase_first': first,
        'phase_since': store.utcnow() - since,
        'phase_cursor': {'next': 'secret'},
    }


def test_an_operation_that_has_no_phase_shows_none(api, operation):
    assert shown(api, operation[0]) == (None,) * 4


@pytest.mark.parametrize(
    ('done', 'total', 'first', 'left_s'),
    [
        (1, 4, 0, 3 * 3600),
        (3, 4, 0, 1200),
        (4, 4, 0, 0),
        # What was done before counts for nothing: four of six stacks were as planned already.
        (5, 6, 4, 3600),
        (1, 2**31 - 1, 0, 2**31 - 1),
    ],
)
def test_the_end_of_a_phase_is_foreseen_from_what_was_done_in_it(
    api, operation, done, total, first, left_s
):
    path, write = operation
    write(**in_phase(done, total, first=first))
    assert shown(api, path) == ('drain', done, total, pytest.approx(left_s, rel=0.1))


@pytest.mark.parametrize(
    'values',
    [
        in_phase(0, 4),
        in_phase(4, 5, first=4),
        in_phase(1, 5, first=4),
        in_phase(None, None),
        in_phase(1, 4, first=None),
        {**in_phase(1, 4), 'state': 'FAILED'},
    ],
)
def test_no_end_is_foreseen_where_nothing_says_it(api, operation, values):
    path, write = operation
    write(**values)
    assert shown(api, path)[-1] is None


def test_no_end_is_foreseen_while_no_conductor_is_there(api, operation):
    path, write = operation
    write(**in_phase(1, 4), lease_until=store.utcnow() - HOUR)
    assert shown(api, path)[0] == 'drain' and shown(api, path)[-1] is None


def test_a_clock_that_is_behind_foresees_no_end_in_the_past(api, operation):
    path, write = operation
    write(**in_phase(1, 4, since=-HOUR))
    assert shown(api, path)[-1] == 0
