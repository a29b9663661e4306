"""What an operation makes of a cluster: joined, undone, laid into columns; without a database."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from magnum_lite.exceptions import BadRequest
from magnum_lite.objects import Operation, previous
from magnum_lite.objects.change import MAX_REMOVED, Change, Values

ROW = SimpleNamespace(uuid='g', node_count=1, min_node_count=0, max_node_count=None)


def of_group(kind='resize', *, before=ROW, **values):
    """An accepted change of the group g."""
    options = {name: values.pop(name) for name in ('nodes_to_remove', 'rollback') if name in values}
    return Change(kind, 3, Values(groups={'g': values}), **options).upon([before])


def renewed(change):
    """The change as the next worker reads it."""
    operation = Operation.new(kind=change.kind, cluster_id='c', node_group='g')
    operation.want(change)
    columns = {
        name: json.loads(json.dumps(getattr(operation, name)))
        for name in ('change', 'target', 'restore')
    }
    return Operation.new(kind=change.kind, cluster_id='c', node_group='g', **columns).wants


CHANGES = [
    Change('create', at_once=Values({'name': 'c', 'labels': {}}), added={'g': {'name': 'g'}}),
    of_group(node_count=3, nodes_to_remove=('0', 'x')),
    of_group('update', node_count=3, rollback=True),
    of_group('nodegroup_update'),
    replace(of_group(node_count=3), joined=4, lost=()),
    Change('nodegroup_create', 2, added={'g': {'node_count': 2}}),
    Change('nodegroup_delete', 2, removed=('g',)),
    Change(
        'upgrade',
        5,
        Values(groups={'g': {'min_node_count': 1}}),
        Values(
            {'labels': {'a': 'b'}, 'facts': {}}, {'g': {'image_id': 'i'}, 'h': {'image_id': 'i'}}
        ),
        max_batch_size=3,
        lost=('s',),
    ).upon([ROW]),
    Change('rotate_ca', 7, at_end=Values({'ca_generation': 2})),
    Change('rotate_credentials', 7, Values({'user_id': 'u', 'identity': {'mode': 'trust'}})),
    Change('rollback', 8),
    Change('delete', 9),
    replace(of_group(node_count=0), spares=(0, 2)),
    replace(of_group(node_count=0), spares=()),
]


@pytest.mark.parametrize('change', CHANGES, ids=lambda change: change.kind)
def test_a_change_is_what_it_was_when_it_is_read_again(change):
    assert renewed(change) == change


def test_columns_hold_what_release_1_0_looks_for():
    upgrade = CHANGES[7]
    columns = upgrade.columns()
    assert columns['target'] == {
        'cluster': {'labels': {'a': 'b'}, 'facts': {}},
        'max_batch_size': 3,
        'lost': ['s'],
        'groups': {'g': {'image_id': 'i'}, 'h': {'image_id': 'i'}},
    }
    assert columns['restore'] == {'g': {'min_node_count': 0}}
    assert CHANGES[1].columns()['target'] == {'nodes_to_remove': ['0', 'x']}
    assert CHANGES[2].columns()['target'] == {'rollback': True}


@pytest.mark.parametrize('change', CHANGES, ids=lambda change: change.kind)
def test_what_release_1_0_accepted_is_understood(change):
    """It writes two columns; what was asked for at once stands in the rows alone."""
    columns = change.columns()
    found = previous.read(change.kind, 'g', None, columns['target'], columns['restore'])
    for name in (
        'undo',
        'at_end',
        'nodes_to_remove',
        'max_batch_size',
        'rollback',
        'lost',
        'joined',
        'removed',
    ):
        assert getattr(found, name) == getattr(change, name)
    if change.kind != 'create':
        assert found.added.keys() == change.added.keys()


def test_what_release_1_0_makes_of_our_operation_counts():
    change = of_group(node_count=3, nodes_to_remove=('0',))
    columns = change.columns()
    # Its conductor has turned the nodes into members and died; its API let a change join.
    assert previous.read('resize', 'g', columns['change'], {}, columns['restore']) == replace(
        change, nodes_to_remove=()
    )
    joined = {'g': {'node_count': 1, 'max_node_count': None}}
    found = previous.read('resize', 'g', columns['change'], {'nodes_to_remove': ['0', '7']}, joined)
    assert (found.nodes_to_remove, found.undo, found.base) == (('0', '7'), joined, 3)


def test_what_a_later_release_added_is_read_by_nobody_and_kept():
    """A resize may join what waits, and a step may note what it found, before that release does
    it."""
    given = {
        'kind': 'heal',
        'later': 1,
        'at_end': {'members': {'m': {}}},
        'at_once': {'groups': {'g': {'node_count': 2}}, 'members': {'m': {}}},
    }
    found = Change.from_json(given)
    assert (found.groups, found.cluster) == ({'g': {'node_count': 2}}, {})
    assert found.as_json() == given
    joined = found.join(Change('resize', at_once=Values(groups={'g': {'node_count': 3}})))
    assert joined.columns()['change'] == {
        **given,
        'joined': 2,
        'at_once': {'groups': {'g': {'node_count': 3}}, 'members': {'m': {}}},
    }
    assert replace(joined, lost=('s',)).as_json()['later'] == 1


def test_a_snapshot_is_the_state_after():
    assert Change('delete').snapshot() == {'cluster': None}
    assert Change('nodegroup_delete', removed=('g',)).snapshot() == {'groups': {'g': None}}
    assert CHANGES[0].snapshot() == {
        'cluster': {'name': 'c', 'labels': {}},
        'groups': {'g': {'name': 'g'}},
    }
    assert CHANGES[7].snapshot() == {
        'cluster': {'labels': {'a': 'b'}, 'facts': {}},
        'groups': {'g': {'min_node_count': 1, 'image_id': 'i'}, 'h': {'image_id': 'i'}},
    }
    assert Change('rollback', 8).snapshot() == {}


def test_two_that_wait_become_one():
    first = of_group(node_count=3, nodes_to_remove=('0', '1'))
    after = SimpleNamespace(uuid='g', node_count=3, max_node_count=None)
    second = of_group('nodegroup_update', before=after, max_node_count=9)
    third = of_group(before=after, node_count=5, nodes_to_remove=('1', '2'))
    joined = first.join(second).join(third)
    assert joined.at_once.groups == {'g': {'node_count': 5, 'max_node_count': 9}}
    assert joined.undo == {'g': {'node_count': 1, 'max_node_count': None}}
    assert (joined.kind, joined.joined, joined.nodes_to_remove) == ('resize', 3, ('0', '1', '2'))
    assert joined.growth == 4 and third.growth == 2


def test_a_group_that_is_still_to_be_made_keeps_what_was_asked_of_it():
    made = Change('nodegroup_create', added={'g': {'node_count': 2}})
    after = SimpleNamespace(uuid='g', node_count=2)
    joined = made.join(of_group(before=after, node_count=3))
    assert joined.undo == {} and joined.put_back([]) == {}
    assert joined.groups == {'g': {'node_count': 3}} and joined.growth == 3


def test_nobody_names_too_many_nodes_in_parts():
    first, second = (
        of_group(
            node_count=1,
            nodes_to_remove=tuple(f'{part}{number}' for number in range(MAX_REMOVED // 2 + 1)),
        )
        for part in 'ab'
    )
    with pytest.raises(BadRequest, match=f'name {MAX_REMOVED + 2} nodes to remove'):
        first.join(second)


def test_a_failure_puts_back_what_nobody_asks_for_later():
    failed = of_group(node_count=3, min_node_count=1)
    later = of_group(before=SimpleNamespace(uuid='g', node_count=3), node_count=5)
    assert failed.put_back([]) == {'g': {'node_count': 1, 'min_node_count': 0}}
    assert failed.put_back([later]) == {'g': {'min_node_count': 0}}
    # The later one goes back to what was before both.
    assert later.behind(failed).undo == {'g': {'node_count': 1}}
    assert later.behind(failed).put_back([]) == {'g': {'node_count': 1}}


def test_a_later_release_may_say_more():
    given = {**CHANGES[1].as_json(), 'surge': 2}
    assert Change.from_json(given) == replace(CHANGES[1], unknown={'surge': 2})


def test_a_change_of_the_whole_has_no_group():
    assert Operation.new(kind='resize', cluster_id='c', node_group='g').group == 'g'
    with pytest.raises(ValueError, match='rotate_ca.* is of no node group'):
        _ = Operation.new(kind='rotate_ca', cluster_id='c').group
