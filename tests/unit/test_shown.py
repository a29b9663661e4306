"""What a driver may say of what is there."""

import pytest

from magnum_lite.driver_sdk import StackView, Status
from magnum_lite.driver_sdk.testing import example
from magnum_lite_dev.rig.tiny import Tiny


@pytest.mark.parametrize(
    'said',
    [
        {'state': 'ABSENT'},
        {'state': 'FAILED', 'reason': 'no host', 'backend_id': 's'},
        {
            'state': 'COMPLETE',
            'api_address': 'https://[::1]:6443',
            'coe_version': 'v1.36.2',
            'group_backend_ids': {'g': 's'},
            'group_states': {'g': 'COMPLETE'},
            'group_addresses': {'g': ['10.0.0.1']},
            'group_members': {'g': {'0': 'server'}},
        },
    ],
)
def test_a_status_says_what_is_there(said):
    assert Status(**said).state == said['state']


@pytest.mark.parametrize(
    ('said', 'problem'),
    [
        ({'state': 'DONE'}, "state 'DONE' is none of ABSENT, IN_PROGRESS, COMPLETE, FAILED"),
        ({'state': None}, 'state None is none of'),
        ({'reason': None}, 'reason is no text: None'),
        ({'coe_version': 1.36}, 'coe_version is no text: 1.36'),
        ({'group_states': {'g': 'DONE'}}, "group_states: 'DONE' of 'g' is not"),
        ({'group_states': ['g']}, 'group_states is no mapping'),
        ({'group_addresses': {'g': '10.0.0.1'}}, "group_addresses: '10.0.0.1' of 'g'"),
        ({'group_addresses': {'g': (None,)}}, "group_addresses: .* of 'g'"),
        ({'group_backend_ids': {None: 's'}}, "group_backend_ids: 's' of None"),
        ({'group_members': {'g': {0: 'server'}}}, "group_members: .* of 'g'"),
    ],
)
def test_a_status_that_says_what_cannot_be_kept_is_none(said, problem):
    with pytest.raises(ValueError, match=problem):
        Status(**{'state': 'COMPLETE', **said})


def test_a_version_that_heat_took_for_a_number_is_a_text():
    """YAML does, of 1.36."""
    spec = example.spec(Tiny())
    name = Tiny().plan(spec).stacks[0].name
    view = StackView('i', name, 'CREATE_COMPLETE', outputs={'coe_version': 1.36})
    assert Tiny().status_of(spec, {'base': view}).coe_version == '1.36'
