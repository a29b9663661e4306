"""Which servers a step takes away, as the SDK reads it from stacks and plan."""

import dataclasses
import types

import pytest

from magnum_lite.driver_sdk import Plan, Stack, StackView, leaving, tags
from magnum_lite.driver_sdk.testing import example
from tests.unit.minimal import Minimal

WORKERS = example.WORKERS
MEMBERS = {'0': 'a', '1': 'b', '3': 'c', '7': 'd'}


class Stacks:
    """A Heat that only shows stacks."""

    def __init__(self, **views):
        self._views = views
        self.read = []

    def list(self, tag):
        return [dataclasses.replace(view, outputs={}) for view in self._views.values()]

    def get(self, stack):
        self.read.append(stack)
        return self._views[stack]


def stack(name, **changes):
    return Stack(**{'key': name, 'name': name, 'template': '', 'parameters': {}} | changes)


def view(name, of=None, members=MEMBERS):
    """A stack that is as ``of`` says."""
    marks = frozenset(tags.of_stack('c', of.digest, 'x')) if of else frozenset()
    return StackView(name, name, 'UPDATE_COMPLETE', tags=marks, outputs={'refs_map': members})


@pytest.fixture
def spec():
    return example.spec(Minimal())


@pytest.mark.parametrize(
    ('count', 'removed', 'going'),
    [
        (4, (2, 4, 5, 6), []),
        (3, (2, 4, 5, 6), ['d']),
        (3, (0, 2, 4, 5, 6), ['a']),
        (8, (), []),
        (2, (), ['c', 'd']),
        (0, (), ['a', 'b', 'c', 'd']),
    ],
)
def test_indexes_without_a_place_go(spec, count, removed, going):
    wanted = example.with_nodes(spec, count, removed=removed)
    plan = Plan((stack('w', node_group=WORKERS, generation=1),))
    assert leaving.servers(Stacks(w=view('w')), wanted, plan) == going


def test_a_stack_that_the_plan_has_no_more_goes_with_all_its_servers(spec):
    heat = Stacks(w=view('w'), old=view('old', members={'0': 'z'}))
    plan = Plan((stack('w', node_group=WORKERS),))
    assert leaving.servers(heat, example.with_nodes(spec, 9), plan) == ['z']
    assert leaving.present(heat, spec) == {'a', 'b', 'c', 'd', 'z'}


def test_what_a_step_does_not_touch_is_not_even_read(spec):
    planned = stack('w', node_group=WORKERS, generation=1)
    none = example.with_nodes(spec, 0)
    for heat, wanted in (
        (Stacks(w=view('w', of=planned)), none),
        (Stacks(w=view('w')), dataclasses.replace(none, focus=example.CONTROL_PLANE)),
        (Stacks(w=view('w')), example.with_nodes(none, 0, generation=2)),
    ):
        assert leaving.servers(heat, wanted, Plan((planned,))) == []
        assert heat.read == []


def test_a_group_in_several_stacks_names_no_members(spec):
    shards = tuple(stack(name, node_group=WORKERS) for name in ('w', 'v'))
    heat = Stacks(w=view('w'), v=view('v'))
    assert leaving.servers(heat, example.with_nodes(spec, 1), Plan(shards)) == []


def test_a_driver_asks_for_both(spec):
    heat = Stacks(old=view('old'))
    cloud = types.SimpleNamespace(heat=heat)
    driver = Minimal()
    assert set(driver.leaving(cloud, spec, Plan(()))) == driver.present(cloud, spec)


def test_generations_that_are_going_go_whole_and_others_beside_stay(spec):
    beside, going, _ = example.surge(spec)
    plan = Plan(
        (
            stack('old', node_group=WORKERS, generation=1),
            stack('new', node_group=WORKERS, generation=2),
        )
    )
    there = Stacks(old=view('old'), new=view('new', plan.stacks[1], {'0': 'e'}))
    assert leaving.servers(there, beside, plan) == []
    assert leaving.servers(there, going, plan) == ['a', 'b', 'c', 'd']
    focused = dataclasses.replace(going, focus=example.CONTROL_PLANE)
    assert leaving.servers(there, focused, plan) == []
