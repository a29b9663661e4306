"""Creations and updates of which Heat may know though its answer was lost."""

import pytest

from magnum_lite.driver_sdk import CloudError, CloudUnavailable
from magnum_lite.driver_sdk.errors import Unanswered
from tests.rude import resets, says
from tests.unit.rude_heat import ARGUMENTS, NOTHING, STACK


@pytest.mark.parametrize(
    'first', [says(409, {'error': {'message': 'exists'}}), resets, says(201, b'{"sta')]
)
def test_a_stack_of_ours_that_exists_counts_as_made(heat_of, first):
    heat, server = heat_of(first, says(200, {'stack': STACK}))
    assert heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1']) == 'i1'
    assert [line.split()[0] for line in server.requests] == ['POST', 'GET']


def test_a_lost_answer_stays_one_though_the_look_after_it_fails(heat_of):
    """It tells that a stack may be made later: see ``ledger.late``."""
    heat, server = heat_of(resets, says(503, b''))
    with pytest.raises(Unanswered, match='broke off'):
        heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1'])
    assert [line.split()[0] for line in server.requests] == ['POST', 'GET']


def test_a_stack_of_others_that_has_the_name_is_named(heat_of):
    heat, _ = heat_of(says(409, NOTHING), says(200, {'stack': {**STACK, 'tags': ['theirs']}}))
    with pytest.raises(CloudError, match='a stack s already') as caught:
        heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1'])
    assert not isinstance(caught.value, CloudUnavailable)


def test_an_update_of_a_stack_that_is_not_found_is_taken_again(heat_of):
    heat, _ = heat_of(says(404, {'error': {'message': 'no stack s'}}))
    with pytest.raises(CloudUnavailable, match='404 Not Found: no stack s'):
        heat.update('i1', ARGUMENTS, ['cluster:c1'])


OURS = {
    'stack': {**STACK, 'stack_status': 'UPDATE_IN_PROGRESS', 'tags': ['cluster:c1', 'attempt:2']}
}


@pytest.mark.parametrize(
    'looks', [[says(200, OURS)], [says(200, {'stack': STACK}), says(200, OURS)]]
)
@pytest.mark.parametrize('first', [resets, says(500, NOTHING), says(504, b'')])
def test_an_update_that_heat_has_begun_is_not_asked_for_again(heat_of, first, looks):
    """The second would cancel the first."""
    heat, server = heat_of(first, *looks)
    heat.update('i1', ARGUMENTS, ['cluster:c1', 'attempt:2'])
    assert [line.split()[0] for line in server.requests] == ['PUT'] + ['GET'] * len(looks)


def test_a_change_of_tags_that_heat_has_begun_is_not_asked_for_again(heat_of):
    heat, server = heat_of(resets, says(200, OURS))
    heat.refresh('i1', ['cluster:c1', 'attempt:2'])
    assert [line.split()[0] for line in server.requests] == ['PATCH', 'GET']


def test_what_another_update_does_is_none_of_ours(heat_of):
    heat, server = heat_of(resets, says(200, OURS))
    with pytest.raises(Unanswered):
        heat.update('i1', ARGUMENTS, ['cluster:c1', 'attempt:3'])
    assert [line.split()[0] for line in server.requests] == ['PUT', 'GET']
