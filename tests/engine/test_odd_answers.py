"""Answers of a driver that are none of the contract's: its operation ends, soon and told."""

import dataclasses
import types

import pytest

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import agenda, journal, store
from magnum_lite.db.engine import now
from magnum_lite.driver_sdk import DONE, Failed, Plan, Status, Waiting
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Tiny


class Odd(Tiny):
    """Answers what it is told to once its cluster is there."""

    def __init__(self):
        super().__init__()
        self.answer = self.shown = None
        self.planned, self.later = (lambda plan: plan), None

    def update(self, cloud, spec, /):
        """As told."""
        return self.answer()

    def update_dry_run(self, spec, /):
        """As told."""
        return self.planned(super().update_dry_run(spec))

    def get_status(self, cloud, spec, /):
        """As told."""
        return self.shown if self.shown else super().get_status(cloud, spec)


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def driver():
    """The driver with odd answers."""
    return Odd()


@pytest.fixture
def manager(conf, database, driver):
    """A worker that has it."""
    return Manager(conf, database, Registry({'tiny': driver}), owner='w')


@pytest.fixture
def step(tenant, driver, manager):
    """Takes the first step of a resize that is answered so; the operation then."""

    def take(answer):
        create = tenant.create()
        while not tenant.operation(create.uuid).ended_at:
            manager.claim(create.uuid)
            manager.step(create.uuid)
        driver.answer, driver.planned = answer, driver.later or driver.planned
        resize = tenant.resize(create.cluster_id, 3)
        manager.claim(resize.uuid)
        manager.step(resize.uuid)
        return tenant.operation(resize.uuid)

    return take


@pytest.mark.parametrize(
    'answer',
    [
        lambda: None,
        lambda: 'done',
        lambda: Waiting(None),
        lambda: Waiting('x', float('nan')),
        lambda: Waiting('x', 1e15),
        lambda: Failed('quota', None),
    ],
    ids=['nothing', 'a text', 'no reason', 'no number', 'in 30 million years', 'no text'],
)
def test_a_step_that_is_no_progress_fails_the_operation_by_the_name_of_its_driver(step, answer):
    found = step(answer)
    assert (found.state, found.error_code) == ('FAILED', 'driver-failed')
    assert 'Driver tiny ' in found.error_text and 'update' in found.error_text


@pytest.mark.parametrize(
    'planned',
    [
        lambda plan: None,
        lambda plan: list(plan),
        lambda plan: Plan(tuple(map(vars, plan))),
        lambda plan: Plan(None),
        lambda plan: Plan((dataclasses.replace(plan.stacks[0], name=1),)),
        lambda plan: Plan((dataclasses.replace(plan.stacks[0], parameters={'a': {1, 2}}),)),
    ],
    ids=['nothing', 'a list', 'no parts', 'none', 'a number for a name', 'a set'],
)
def test_a_plan_that_is_none_fails_the_operation_by_the_name_of_its_driver(driver, step, planned):
    def then():
        raise AssertionError('a step without a plan')

    driver.later = planned
    found = step(then)
    assert (found.state, found.error_code) == ('FAILED', 'driver-failed')
    assert 'Driver tiny ' in found.error_text and 'update_dry_run' in found.error_text


def test_a_status_that_is_none_is_asked_for_again_and_logged(driver, step, caplog):
    def done():
        driver.shown = types.SimpleNamespace(state='COMPLETE')
        return DONE

    found = step(done)
    assert (found.state, found.progress) == ('WAITING', 'reading the addresses')
    assert found.trouble.startswith('Driver tiny answered what it must not in get_status')
    assert "get_status returned namespace(state='COMPLETE')" in caplog.text


@pytest.mark.parametrize(
    'shown',
    [
        {'state': 'DONE'},
        {'state': 'COMPLETE', 'api_address': 7},
        {'state': 'COMPLETE', 'group_addresses': {'g': ({'ip': '10.0.0.1'},)}},
    ],
)
def test_a_status_with_what_cannot_be_kept_is_told_by_the_name_of_its_driver(driver, step, shown):
    def done():
        driver.get_status = lambda cloud, spec: Status(**shown)
        return DONE

    found = step(done)
    assert (found.state, found.progress) == ('WAITING', 'reading the addresses')
    assert found.trouble.startswith('Driver tiny failed in get_status')


def test_a_driver_that_wants_no_look_for_long_does_not_outlive_the_deadline(
    database, tenant, manager, step
):
    found = step(lambda: Waiting('it takes all day', 80_000))

    def due():
        with database.read() as connection:
            return [row.uuid for row in agenda.due(connection, owner='w', limit=9)]

    assert found.state == 'WAITING' and not due()
    database.write(store.update, Operation, {'deadline_at': now(-1)}, uuid=found.uuid)
    assert due() == [found.uuid]
    manager.step(found.uuid)
    assert tenant.operation(found.uuid).error_code == 'timeout'


@pytest.mark.parametrize(
    'answer',
    [
        lambda: Waiting('node \0 of \ud83d' + 'x' * 10_000, trouble='no \0 \udc00'),
        lambda: Failed('odd', 'node \0 of \ud83d' + 'x' * 10_000),
    ],
    ids=['waiting', 'failed'],
)
def test_words_that_no_database_can_hold_are_told_without_those_letters(
    database, step, answer, caplog
):
    found = step(answer)
    caplog.text.encode()  # as a file has it
    text = found.error_text or found.progress
    assert text.startswith('node \ufffd of ?xxx') and len(text) < 9000
    assert found.trouble in (None, 'no \ufffd ?')
    with database.read() as connection:
        assert any(
            'node \ufffd of ?xxx' in row.text for row in journal.steps_of(connection, found.uuid)
        )
