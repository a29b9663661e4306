"""What a driver may say of the phase it is in, what ``HeatDriver`` says, and what the kit tells."""

import dataclasses
import itertools
import types

import pytest

from magnum_lite.driver_sdk import DONE, Done, Output, Plan, Stack, StackView, Waiting
from magnum_lite.driver_sdk.status import MOST_CURSOR, MOST_THINGS
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.steps import Steps
from tests.unit.bare import Bare

DEEP = list(itertools.accumulate(range(100_000), lambda inner, _: [inner], initial=[]))[-1]


@pytest.mark.parametrize(
    'said',
    [
        {},
        {'phase': 'drain'},
        {'phase': 'a-2nd-look', 'cursor': [1, {'node': None}]},
        {'phase': 'drain', 'done': 0, 'total': 0},
        {'phase': 'x' * 32, 'cursor': '\0\ud83d'},
        {'phase': 'drain', 'done': MOST_THINGS, 'total': MOST_THINGS, 'cursor': False},
        {'phase': 'drain', 'cursor': 'x' * (MOST_CURSOR - 2)},
    ],
)
def test_a_step_says_where_it_is(said):
    assert Waiting('r', **said).phase == said.get('phase')


@pytest.mark.parametrize(
    ('said', 'problem'),
    [
        ({'done': 1, 'total': 2, 'cursor': 3}, 'done and total and cursor without a phase'),
        ({'phase': ''}, "phase '' is no word"),
        ({'phase': 'Two words'}, 'is no word'),
        ({'phase': 'x' * 33}, 'is no word'),
        ({'phase': 'drain\n'}, 'is no word'),
        ({'phase': 'drain', 'done': 1}, 'are given together'),
        ({'phase': 'drain', 'total': 1}, 'are given together'),
        ({'phase': 'drain', 'done': 3, 'total': 2}, '3 of 2 things cannot be done'),
        ({'phase': 'drain', 'done': -1, 'total': 2}, '-1 of 2'),
        ({'phase': 'drain', 'done': 1, 'total': MOST_THINGS + 1}, 'cannot be done'),
        ({'phase': 'drain', 'done': True, 'total': 2}, 'done and total are whole numbers'),
        ({'phase': 'drain', 'done': 1, 'total': 1.5}, 'done and total are whole numbers'),
        ({'phase': 'drain', 'cursor': {1}}, 'the cursor is no JSON'),
        ({'phase': 'drain', 'cursor': float('nan')}, 'the cursor is no JSON'),
        ({'phase': 'drain', 'cursor': DEEP}, 'the cursor is no JSON'),
        ({'phase': 'drain', 'cursor': (1, 2)}, 'read back from JSON: give lists'),
        ({'phase': 'drain', 'cursor': {1: 'a'}}, 'read back from JSON'),
        ({'phase': 'drain', 'cursor': 'x' * (MOST_CURSOR - 1)}, '4097 bytes as JSON, at most 4096'),
    ],
)
def test_what_no_next_step_could_go_on_with_is_refused(said, problem):
    with pytest.raises(ValueError, match=problem):
        Waiting('r', **said)


class Stacks(Bare):
    """A base, and a stack for each worker group and its generation."""

    capabilities = frozenset({'update'})

    def plan(self, spec, /):
        base = Stack(key='base', name='base', template='t', parameters={})
        return Plan(
            (
                base,
                *(
                    Stack(
                        key=group.name,
                        name=f'{group.name}-{group.generation}',
                        template='t',
                        parameters={'network': Output('base', 'network')},
                    )
                    for group in spec.worker_groups
                ),
            )
        )


class Slow:
    """A Heat that completes or deletes one stack at each look."""

    def __init__(self):
        self.views = {}

    def list(self, tag):
        """All stacks; the oldest of those at work is ready now."""
        for view in list(self.views.values()):
            if view.status == 'DELETE_IN_PROGRESS':
                del self.views[view.id]
                break
            if view.in_progress:
                self._set(view, 'CREATE_COMPLETE')
                break
        return list(self.views.values())

    def _set(self, view, status):
        self.views[view.id] = dataclasses.replace(view, status=status)

    def get(self, stack):
        """By id, with the output that is asked for."""
        return dataclasses.replace(self.views[stack], outputs={'network': 'n'})

    def create(self, name, arguments, tags):
        """Begin it."""
        self.views[name] = StackView(name, name, 'CREATE_IN_PROGRESS', tags=frozenset(tags))

    def delete(self, stack):
        """Begin it."""
        self._set(self.views[stack], 'DELETE_IN_PROGRESS')


@pytest.fixture
def driver():
    return Stacks()


@pytest.fixture
def cloud():
    return types.SimpleNamespace(heat=Slow())


def said(method, cloud, spec):
    """All that the steps of an operation say of phases."""
    steps, found = Steps(method, spec), []
    while not isinstance(progress := steps.take(cloud), Done):
        found.append((progress.phase, progress.done, progress.total))
    return found


def test_a_heat_driver_counts_the_stacks_that_are_complete_and_those_that_go(driver, cloud):
    first = example.spec(driver)
    assert said(driver.create, cloud, first) == [('stacks', 0, 2), ('stacks', 1, 2)]
    groups = tuple(dataclasses.replace(group, generation=2) for group in first.node_groups)
    more = dataclasses.replace(groups[-1], name='more')
    second = dataclasses.replace(first, node_groups=(*groups, more))
    assert said(driver.update, cloud, second) == [
        ('stacks', 1, 3),
        ('stacks', 2, 3),
        ('leftover', 0, 1),
    ]
    assert said(driver.delete, cloud, second) == [
        ('deletion', 0, 3),
        ('deletion', 1, 3),
        ('deletion', 2, 3),
    ]


def test_a_stack_that_never_formed_is_one_that_is_to_be_made(driver, cloud):
    spec = example.spec(driver)
    said(driver.create, cloud, spec)
    cloud.heat.views['default-worker-1'] = StackView(
        'default-worker-1', 'default-worker-1', 'CREATE_FAILED'
    )
    assert said(driver.update, cloud, spec) == [('stacks', 1, 2)] * 2


def test_a_phase_on_the_way_has_the_stacks_of_the_plan_before_too(driver, cloud):
    before = example.spec(driver)
    said(driver.create, cloud, before)
    after = dataclasses.replace(
        before,
        node_groups=tuple(dataclasses.replace(group, generation=2) for group in before.node_groups),
    )
    both = Plan(
        (*driver.plan(before).stacks, dataclasses.replace(driver.plan(after).stacks[1], key='new'))
    )
    assert said(lambda cloud, spec: driver.converge(cloud, spec, both), cloud, after) == [
        ('stacks', 2, 3)
    ]
    assert sorted(cloud.heat.views) == ['base', 'default-worker-1', 'default-worker-2']


def test_the_kit_tells_each_step_where_the_last_one_was(driver):
    told = []

    def step(cloud, spec):
        told.append((spec.phase, spec.cursor))
        answers = (
            Waiting('a', phase='one', cursor=[1]),
            Waiting('b'),
            Waiting('c', phase='two'),
            DONE,
        )
        return answers[len(told) - 1]

    steps = Steps(step, example.spec(driver))
    while not isinstance(steps.take(None), Done):
        pass
    assert told == [(None, None), ('one', [1]), ('one', [1]), ('two', None)]
    assert [(spec.phase, spec.cursor) for spec in steps.entered] == [('one', [1]), ('two', None)]
