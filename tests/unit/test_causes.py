"""What failed in the cloud: data to the last, text in one place, and never without end."""

import time
from types import SimpleNamespace

import pytest

from magnum_lite.cloud import causes
from magnum_lite.conductor.heat.access import HeatAccess, LeasedHeat
from magnum_lite.conductor.lease import Lease
from magnum_lite.driver_sdk import Cause, StackView, tags
from magnum_lite.driver_sdk.cause import MOST, MOST_REASON, documents, explain

PORT = Cause(
    'kube_minions/0',
    'OS::Neutron::Port',
    'CREATE_FAILED',
    'no more addresses here',
    at='2026-01-02T03:04:05Z',
    part='tiny-c',
)


def test_people_read_one_sentence_of_all_causes():
    group = Cause('kube_minions', 'OS::Heat::ResourceGroup', 'CREATE_FAILED', 'its member failed')
    assert explain('stack s is CREATE_FAILED', [PORT, group], 'timeout') == (
        'stack s is CREATE_FAILED: 0 (OS::Neutron::Port): no more addresses here; '
        'kube_minions (OS::Heat::ResourceGroup): its member failed'
    )
    assert explain('stack s is CREATE_FAILED', [], 'timeout') == 'stack s is CREATE_FAILED: timeout'


NO_HOST = 'Went to status ERROR due to "Message: No valid host was found., Code: 500"'
GROUP = 'OS::Heat::ResourceGroup'


@pytest.mark.parametrize(
    ('causes', 'text'),
    [
        (  # As Heat says it of a creation, and of the deletion of a member.
            [
                ('group/0', 'S', f'ResourceInError: resources[0]: {NO_HOST}'),
                ('group', GROUP, f'ResourceInError: resources.group.resources[0]: {NO_HOST}'),
            ],
            f'0 (S): ResourceInError: resources[0]: {NO_HOST}',
        ),
        (
            [
                ('group/2', 'S', 'ClientException: resources[2]: no answer'),
                (
                    'group',
                    GROUP,
                    'resources.group: Resource DELETE failed: ClientException: resources[2]: '
                    'no answer',
                ),
            ],
            '2 (S): ClientException: resources[2]: no answer',
        ),
        (  # A node that is a stack of its own in the group.
            [
                ('0/server', 'S', f'ResourceInError: resources.server: {NO_HOST}'),
                (
                    'group/0',
                    'node.yaml',
                    f'ResourceInError: resources[0].resources.server: {NO_HOST}',
                ),
                ('group', GROUP, f'X: resources.group.resources[0].resources.server: {NO_HOST}'),
            ],
            f'server (S): ResourceInError: resources.server: {NO_HOST}',
        ),
        (  # Many servers for one reason, and one for another.
            [
                ('group/0', 'S', f'ResourceInError: resources[0]: {NO_HOST}'),
                ('group/1', 'S', f'ResourceInError: resources[1]: {NO_HOST}'),
                ('group/2', 'S', 'ResourceInError: resources[2]: no disk'),
                ('group/3', 'S', f'ResourceInError: resources[3]: {NO_HOST}'),
                ('group', GROUP, f'ResourceInError: resources.group.resources[0]: {NO_HOST}'),
            ],
            f'0 (S) and 2 more: ResourceInError: resources[0]: {NO_HOST}; '
            '2 (S): ResourceInError: resources[2]: no disk',
        ),
        (  # Who holds another says what the other does not.
            [
                ('group/0', 'S', ''),
                ('group', GROUP, 'Timed out'),
                ('other', 'S', 'Timed out in Nova'),
            ],
            f'0 (S): ; group ({GROUP}): Timed out; other (S): Timed out in Nova',
        ),
    ],
)
def test_people_read_each_reason_once(causes, text):
    made = [Cause(resource, kind, 'CREATE_FAILED', reason) for resource, kind, reason in causes]
    assert explain('s', made, '') == f's: {text}'


def test_programs_read_each_cause():
    assert documents([PORT]) == [
        {
            'part': 'tiny-c',
            'resource': 'kube_minions/0',
            'type': 'OS::Neutron::Port',
            'status': 'CREATE_FAILED',
            'reason': 'no more addresses here',
            'at': '2026-01-02T03:04:05Z',
            'server_id': None,
        }
    ]
    assert documents([]) is None


def test_a_thousand_causes_are_kept_as_the_first_few():
    long = Cause('y' * 100_000, 'T', 'CREATE_FAILED', 'x' * 100_000)
    kept = documents([PORT] + [long] * 1000)
    assert len(kept) == MOST and kept[0]['resource'] == PORT.resource
    assert {len(cause[name]) for cause in kept[1:] for name in ('reason', 'resource')} == {
        MOST_REASON
    }


class Held:
    """A Heat with one stack whose update failed at a server."""

    stack = StackView(
        'i', 's', 'UPDATE_FAILED', 'timed out', frozenset(tags.of_stack('c', 'd', 'a'))
    )

    def list(self, tag):
        return [self.stack]

    def failures(self, stack):
        assert stack == self.stack.id
        return [Cause('0', 'OS::Nova::Server', 'UPDATE_FAILED', 'no valid host', server_id='made')]


def test_new_rights_that_a_stack_does_not_take_are_told_with_their_causes():
    heat = LeasedHeat(Held(), Lease(time.monotonic() + 60), timeout_s=1)
    failed = HeatAccess(heat).renew('c', 'a')
    assert failed.text == 'stack s is UPDATE_FAILED: 0 (OS::Nova::Server): no valid host'
    assert [(cause.part, cause.server_id) for cause in failed.causes] == [('s', 'made')]


def row(name, status, reason='', ident='x', stack='s', **links):
    """A resource or an event, as heatclient has it."""
    links = {'stack': stack, 'root_stack': 's', **links}
    return SimpleNamespace(
        resource_name=name,
        resource_type='OS::Nova::Server',
        resource_status=status,
        resource_status_reason=reason,
        physical_resource_id=ident,
        event_time='now',
        links=[{'rel': rel, 'href': f'http://heat/{ident}'} for rel, ident in links.items()],
    )


@pytest.mark.parametrize(
    ('reason', 'is_told'),
    [
        ('no valid host', True),
        ('', False),
        ('Stack UPDATE cancelled', False),
        ('CREATE aborted (Task create from Server "a" Stack "s" [s] Timed out)', False),
        ('the image was cancelled', True),
    ],
)
def test_events_are_read_where_heat_gave_a_resource_up(reason, is_told):
    assert causes.explained([row('a', 'CREATE_FAILED', reason)]) is is_told
    assert not causes.explained([row('a', 'CREATE_COMPLETE', reason)])
    assert not causes.explained([row('a', 'CREATE_FAILED', reason, nested='n')])


def test_events_tell_what_failed_since_the_last_action_began():
    resources = [
        row('a', 'CREATE_IN_PROGRESS', ident='third'),
        row('group', 'UPDATE_FAILED', ident='n', nested='n'),
    ]
    events = [
        row('group', 'UPDATE_FAILED', 'its member failed', 'n'),
        row('n-name', 'UPDATE_FAILED', 'its member failed', 'n', stack='n'),
        row('gone', 'DELETE_FAILED', 'it is in use', 'other', stack='n'),
        row('a', 'CREATE_FAILED', 'no disk', 'second'),
        row('n-name', 'UPDATE_IN_PROGRESS', '', 'n', stack='n'),
        row('a', 'CREATE_FAILED', 'no valid host', 'first'),
        row('s-name', 'UPDATE_IN_PROGRESS', 'Stack UPDATE started', 's'),
        row('a', 'CREATE_FAILED', 'long ago', 'zeroth'),
    ]
    assert causes.of_events(events, resources) == [
        Cause('a', 'OS::Nova::Server', 'CREATE_FAILED', 'no valid host', 'now', 'first'),
        Cause('a', 'OS::Nova::Server', 'CREATE_FAILED', 'no disk', 'now', 'second'),
        Cause('gone', '', 'DELETE_FAILED', 'it is in use', 'now'),
    ]
    assert explain('s', [Cause('gone', '', 'DELETE_FAILED', 'in use')], '') == 's: gone: in use'


def test_what_was_never_made_is_told_of_though_a_holder_was_not_made_either():
    resources = [row('group', 'CREATE_IN_PROGRESS', ident='', nested='n')]
    events = [row('a', 'CREATE_FAILED', 'no such flavor', ident='')]
    assert [cause.reason for cause in causes.of_events(events, resources)] == ['no such flavor']
