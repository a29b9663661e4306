"""A generation beside the one that is built: planned, left as it is, told apart in the status."""

import dataclasses
import types

import pytest

from magnum_lite.conductor import lost
from magnum_lite.driver_sdk import Done
from magnum_lite.driver_sdk.backend import Members
from magnum_lite.driver_sdk.testing import example
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.memory import MemoryHeat

OLD, NEW = 'a0000000', 'a0000000-2'  # how names of stacks end


@pytest.fixture
def heat():
    """A Heat that has a cluster with workers of the first generation."""
    heat = MemoryHeat()
    assert _converge(heat, example.spec(Tiny()))
    return heat


def _converge(heat, spec):
    """Take the steps of an update; whether the last one is done."""
    cloud = types.SimpleNamespace(heat=heat)
    for _ in range(9):
        progress = Tiny().update(cloud, spec)
        if isinstance(progress, Done):
            return True
    return False


def _spec(*, going=False, **changes):
    """Workers of the second generation beside the first."""
    spec = example.spec(Tiny())
    old = dataclasses.replace(spec.worker_groups[0], going=going, config=spec.config)
    return dataclasses.replace(example.with_nodes(spec, 3, generation=2, beside=(old,)), **changes)


def _stacks(heat):
    return {
        view.name.removeprefix(f'tiny-{example.CLUSTER}').lstrip('-') or 'base': view.status
        for view in heat.there
    }


def test_generations_are_in_the_order_of_their_numbers():
    group = _spec().worker_groups[0]
    assert [one.generation for one in group.generations] == [1, 2]
    assert [one.beside for one in group.generations] == [(), ()]
    assert _spec().node_count == 1 + 1 + 3
    assert [one.going for one in _spec(going=True).worker_generations] == [True, False]


@pytest.mark.parametrize(
    ('focus', 'going'), [(None, True), (example.WORKERS, True), (example.CONTROL_PLANE, False)]
)
def test_what_goes_is_of_the_groups_in_focus(focus, going):
    assert _spec(going=True, focus=focus).going == ({example.WORKERS: (1,)} if going else {})
    assert _spec(focus=focus).going == {}


@pytest.mark.parametrize('state', ['CREATE_FAILED', 'UPDATE_FAILED', 'DELETE_FAILED'])
@pytest.mark.parametrize('focus', [None, example.WORKERS])
def test_a_generation_beside_is_left_as_it_is(heat, state, focus):
    """Another image or configuration is none of its concern."""
    heat.become(f'tiny-{example.CLUSTER}-{OLD}', state)
    heat.calls.clear()
    assert _converge(heat, _spec(focus=focus))
    assert _stacks(heat) == {'base': 'CREATE_COMPLETE', OLD: state, NEW: 'CREATE_COMPLETE'}
    assert [call for call in heat.calls if call in ('create', 'update', 'delete')] == ['create']


def test_a_generation_goes_when_the_plan_has_it_no_more(heat):
    assert _converge(heat, _spec(going=True))
    spec = _spec()
    alone = dataclasses.replace(
        spec, node_groups=tuple(dataclasses.replace(group, beside=()) for group in spec.node_groups)
    )
    assert _converge(heat, alone)
    assert _stacks(heat) == {'base': 'CREATE_COMPLETE', NEW: 'CREATE_COMPLETE'}


@pytest.mark.parametrize('focus', [None, example.WORKERS])
def test_servers_are_missed_in_what_is_built(focus):
    spec = _spec(focus=focus)
    access = types.SimpleNamespace(members=lambda part: Members(1, (part,)))
    plan = Tiny().plan(spec)
    found = lost.find(access, spec, plan, sorted)
    names = [stack.name for stack in plan.stacks]
    assert list(found) == [names[0], names[2]]


def test_a_status_is_of_what_is_built_but_for_the_addresses(heat):
    spec = _spec()
    views = {}
    for stack in Tiny().plan(spec).stacks:
        found = heat.get(stack.name)
        if found:
            views[stack.key] = dataclasses.replace(
                found, outputs={'node_addresses': [stack.key], 'refs_map': {'0': stack.key}}
            )
    before = Tiny().status_of(spec, views)
    old, new = f'{example.WORKERS}-1', f'{example.WORKERS}-2'
    assert (before.state, before.group_states[example.WORKERS]) == ('IN_PROGRESS', 'ABSENT')
    assert before.group_addresses[example.WORKERS] == (old,)
    assert example.WORKERS not in before.group_members | before.group_backend_ids

    views[old] = dataclasses.replace(views[old], status='UPDATE_FAILED')
    views[new] = dataclasses.replace(
        views[old],
        id='new',
        status='CREATE_COMPLETE',
        outputs={'node_addresses': [new], 'refs_map': {'0': new}},
    )
    status = Tiny().status_of(spec, views)
    assert (status.state, status.group_states[example.WORKERS]) == ('COMPLETE', 'COMPLETE')
    assert status.group_addresses[example.WORKERS] == (old, new)
    assert status.group_members[example.WORKERS] == {'0': new}
    assert status.group_backend_ids[example.WORKERS] == 'new'
