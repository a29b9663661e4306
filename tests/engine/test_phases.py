"""An operation of three phases, whose workers die or freeze anywhere: it goes on and never back."""

import contextlib
import itertools
from dataclasses import replace

import pytest

from magnum_lite.conductor import waiting
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.step import Step
from magnum_lite.db import journal, store
from magnum_lite.db.engine import now
from magnum_lite.driver_sdk.testing.fake import Killed
from magnum_lite.objects import Operation
from tests.engine.doom import Doom
from tests.engine.memory import away
from tests.engine.surge import PHASES, Surge
from tests.engine.test_frozen import Freezing

NODES = 2
MOST_STEPS = 30
LEAST_POINTS, MOST_POINTS = 50, 100  # of an upgrade


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def driver(tmp_path):
    """The driver with phases."""
    return Surge(tmp_path / 'log')


@pytest.fixture
def managers(conf, database, driver):
    """Makes workers, each with a name of its own."""
    names = itertools.count()
    return lambda database=database: Manager(
        conf, database, Registry({'tiny': driver}), owner=f'worker-{next(names)}'
    )


@pytest.fixture
def upgrade(tenant, managers):
    """Makes a cluster, and asks for a new image of its workers each time; the operation."""
    create = tenant.create(nodes=NODES)
    run(managers(), tenant, create)

    numbers = itertools.count(2)

    def ask():
        group = tenant.groups(create.cluster_id)['default-worker']
        return tenant.whole(
            create.cluster_id, 'upgrade', groups={group.uuid: {'image_id': str(next(numbers))}}
        )

    return ask


def run(manager, tenant, operation, until=lambda now: now.ended_at):
    """Claim an operation and take its steps until it is so; the operation then."""
    assert manager.claim(operation.uuid)
    for _ in range(MOST_STEPS):
        if until(found := tenant.operation(operation.uuid)):
            return found
        manager.step(operation.uuid)
    raise AssertionError(f'still {found.state}: {found.progress}')


def texts(tenant, operation):
    """The journal of an operation."""
    with tenant.database.read() as connection:
        return [row.text for row in journal.steps_of(connection, operation.uuid)]


def lose(database, operation):
    """Let the lease of a worker that is lost be over."""
    database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=operation.uuid)


def place(found):
    """What an operation shows of its phase."""
    return found.phase, found.phase_done, found.phase_total, found.phase_cursor


def check(driver, heat, tenant, operation):
    """Fails unless all was done, in order, and no more than once."""
    assert tenant.operation(operation.uuid).state == 'DONE'
    driver.check(NODES)
    entered = [text.split(':')[0] for text in texts(tenant, operation) if text[:5] == 'phase']
    assert entered == [f'phase {phase}' for phase in PHASES]
    number = tenant.groups(operation.cluster_id)['default-worker'].image_id
    left = [view.name for view in heat.list(f'cluster:{operation.cluster_id}')]
    assert len(left) == 2 and left[1].endswith(f'-{number}')
    assert heat.made.count(left[1]) == 1


def test_a_worker_that_dies_at_any_point_of_three_phases_loses_and_doubles_nothing(
    database, tenant, heat, driver, managers, upgrade, monkeypatch
):
    """Before each transaction that writes and each call of Heat: what is there after one is there
    before the next."""

    def die():
        raise Killed

    doom = Doom(0, die)
    doom.haunt(monkeypatch.setattr, heat)
    for point in range(1, MOST_POINTS, 2):
        operation = upgrade()
        driver.forget()
        doom.left = point
        with contextlib.suppress(Killed):
            run(managers(), tenant, operation)
        doom.began = False
        if not tenant.operation(operation.uuid).ended_at:
            lose(database, operation)
            run(managers(), tenant, operation)
        check(driver, heat, tenant, operation)
        if doom.left > 0:  # no such point
            break
    assert LEAST_POINTS < point < MOST_POINTS - 2


def test_an_operation_shows_its_phase_until_it_is_done(tenant, driver, managers, upgrade):
    operation, shown = upgrade(), []
    found = run(
        managers(), tenant, operation, until=lambda now: now.ended_at or shown.append(place(now))
    )
    assert [said for said, _ in itertools.groupby(shown)] == [
        (None, None, None, None),
        ('stacks', 2, 3, None),
        ('drain', 1, 2, 1),
        ('drain', 2, 2, 2),
        ('leftover', 0, 1, 1),
    ]
    assert place(found) == (None,) * 4 and found.phase_since is None
    new = [text for text in texts(tenant, operation) if text.startswith('phase')]
    assert [text.partition(', next')[0] for text in new] == [
        'phase stacks: 2 of 3 stacks are complete',
        'phase drain: drained node 0',
        'phase leftover: stacks being deleted: 1',
    ]


def test_the_cursor_of_a_worker_that_was_frozen_is_never_written_over_a_newer_one(
    conf, database, tenant, driver, managers, upgrade
):
    operation = upgrade()
    slow = Freezing(conf, 0, lambda: None)
    frozen = managers(slow)
    run(frozen, tenant, operation, until=lambda now: now.phase_cursor == 1)
    newer = []

    def meanwhile():
        lose(database, operation)
        newer.append(run(managers(), tenant, operation, lambda now: now.phase == 'leftover'))

    slow.left, slow.meanwhile = 2, meanwhile  # the ledger, then the record of the step
    frozen.step(operation.uuid)
    slow.dispose()
    assert [node for (node,) in driver.lines('drained')] == [0, 1, 1]
    found = tenant.operation(operation.uuid)
    assert place(found) == place(newer[0]) == ('leftover', 0, 1, 1)
    assert (found.owner, found.fence) == (newer[0].owner, newer[0].fence)


def test_a_step_that_breaks_off_leaves_the_operation_where_it_was(
    tenant, heat, driver, managers, upgrade
):
    operation, manager = upgrade(), managers()
    run(manager, tenant, operation, until=lambda now: now.phase == 'leftover')
    before = place(tenant.operation(operation.uuid))
    heat.fault = away
    manager.step(operation.uuid)
    found = tenant.operation(operation.uuid)
    assert found.trouble and place(found) == before
    heat.fault = lambda method: None
    manager.step(operation.uuid)
    assert driver.lines('told')[-2:] == [['leftover', 1]] * 2


def test_an_operation_that_failed_shows_in_which_phase_and_its_rollback_begins_in_none(
    database, tenant, heat, driver, managers, upgrade
):
    operation, manager = upgrade(), managers()
    run(manager, tenant, operation, until=lambda now: now.phase == 'drain')
    database.write(
        store.update,
        Operation,
        {**replace(operation.wants, rollback=True).columns(), 'deadline_at': now(-1)},
        uuid=operation.uuid,
    )
    manager.step(operation.uuid)
    failed = tenant.operation(operation.uuid)
    assert failed.state == 'FAILED' and place(failed) == ('drain', 1, 2, None)
    with database.read() as connection:
        rollback = store.find(connection, Operation, kind='rollback')[0]
    assert place(rollback) == (None,) * 4
    # Back to what was: the new stacks are what is left over.
    run(managers(), tenant, rollback, until=lambda now: now.phase)
    assert place(tenant.operation(rollback.uuid)) == ('leftover', 0, 1, 1)


def test_a_worker_of_release_1_0_leaves_the_phase_where_it_was(
    database, tenant, driver, managers, upgrade, monkeypatch
):
    """It knows no such columns. Whoever comes after it is told what it did not write over, and
    looks first."""
    operation = upgrade()
    run(managers(), tenant, operation, until=lambda now: now.phase == 'drain')
    lose(database, operation)
    with monkeypatch.context() as patch:
        patch.setattr(waiting, '_place', lambda *args: {})
        patch.setattr(Step, 'told', property(lambda step: step.spec))
        found = run(managers(), tenant, operation, until=lambda now: now.state == 'WAITING')
    assert place(found) == ('drain', 1, 2, 1)
    lose(database, operation)
    assert run(managers(), tenant, operation).state == 'DONE'
    told = driver.lines('told')
    assert [None, None] in told and told[-1] == ['leftover', 1]
