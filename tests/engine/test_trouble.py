"""A cloud that fails often, briefly, for long or for ever: time without success decides."""

import datetime
import random
import threading
import time

import pytest

from magnum_lite.conductor.heat.access import HeatAccess, LeasedHeat
from magnum_lite.conductor.lease import Lease
from magnum_lite.db import claims, journal, store
from magnum_lite.driver_sdk import Failed, Waiting
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import working
from tests.engine.memory import away


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


def test_one_failure_in_ten_of_all_calls_ends_in_done(conf, tenant, heat):
    dice = random.Random(7)
    heat.fault = lambda method: away(method) if dice.random() < 0.1 else None
    with working(conf):
        creates = [tenant.create(nodes=2) for _ in range(5)]
        for create in creates:
            tenant.wait(create)
        for create in creates:
            tenant.wait(tenant.resize(create.cluster_id, 3))
        for create in creates:
            tenant.wait(tenant.delete(create.cluster_id))
    assert len(heat.made) == len(set(heat.made)) == 10  # nothing was made twice


def test_an_outage_shorter_than_the_budget_ends_in_done(conf, tenant, heat):
    """Dozens of failures in a row; the old limit was three."""
    failures = []

    def fault(method):
        if len(failures) < 50:
            failures.append(method)
            away(method)

    heat.fault = fault
    create = tenant.create()
    with working(conf):
        shown = tenant.wait_for(create, lambda now: now.trouble)
        assert shown.trouble == 'Heat answered 503 Service Unavailable'
        assert shown.trouble_since and shown.state in ('RUNNING', 'WAITING')
        done = tenant.wait(create)
    assert (done.trouble, done.trouble_since) == (None, None)
    with tenant.database.read() as connection:
        texts = [row.text for row in journal.steps_of(connection, create.uuid)]
    assert len([text for text in texts if '503' in text]) == 1, 'an outage is told of once'


def test_a_heat_that_never_comes_back_fails_the_operation_in_a_sentence(conf, tenant, heat):
    conf.set_override('trouble_s', 1, group='conductor')
    heat.fault = away
    create = tenant.create()
    with working(conf):
        since = tenant.wait_for(create, lambda now: now.trouble_since).trouble_since
        failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'trouble'
    assert failed.error_text == (
        f'Nothing has succeeded since {since:%Y-%m-%d %H:%M:%S} UTC, however often it was tried, '
        'so it was given up. The last error was: Heat answered 503 Service Unavailable'
    )
    assert tenant.cluster(create.cluster_id).status == 'CREATE_FAILED'


def test_an_update_that_another_one_overtook_is_asked_for_again(conf, tenant, heat, monkeypatch):
    """Heat gives up the first of two updates of a stack where the second comes before it has begun,
    and the stack fails with both: so it is after an answer that was lost."""
    settle, overtaken = heat._settle, []

    def overtake(view):
        if view.status == 'UPDATE_IN_PROGRESS' and not overtaken:
            overtaken.append(view.name)
            heat._stacks[view.id] = heat._with(
                view,
                'UPDATE_FAILED',
                reason=('Resource UPDATE failed: resources.kube_minions: Stack UPDATE cancelled'),
            )
        else:
            settle(view)

    monkeypatch.setattr(heat, '_settle', overtake)
    create = tenant.create()
    with working(conf):
        tenant.wait(create)
        tenant.wait(tenant.resize(create.cluster_id, 3))
    assert overtaken and heat.calls.count('update') == 2


def test_new_credentials_that_another_update_overtook_are_asked_for_again(
    conf, database, tenant, heat
):
    create = tenant.create(nodes=0)
    with working(conf):
        tenant.wait(create)

    def step():
        leased = LeasedHeat(heat, Lease(time.monotonic() + 60), timeout_s=1)
        return HeatAccess(leased).renew(create.cluster_id, 'the rotation')

    views = heat.list(f'cluster:{create.cluster_id}')
    assert isinstance(step(), Waiting)
    for view in views:
        heat._stacks[view.id] = heat._with(
            heat._stacks[view.id],
            'UPDATE_FAILED',
            reason='Resource UPDATE failed: Stack UPDATE cancelled',
        )
    assert isinstance(step(), Waiting)
    assert heat.calls.count('refresh') == 2 * len(views)
    for view in views:
        heat._stacks[view.id] = heat._with(heat._stacks[view.id], 'UPDATE_FAILED', reason='no')
    assert isinstance(step(), Failed)


def test_outages_are_forgiven_by_a_success_between_them(conf, tenant, heat):
    """The clock begins anew."""
    up = threading.Event()
    heat.fault = lambda method: None if up.is_set() else away(method)
    create = tenant.create()
    with working(conf):
        first = tenant.wait_for(create, lambda now: now.trouble_since).trouble_since
        with tenant.database.read() as connection:
            now = tenant.operation(create.uuid)
            assert not claims.is_hopeless(connection, now, after_s=60)
        heat.list = _held(heat, up)  # stacks stay in progress: the operation goes on waiting
        up.set()
        tenant.wait_for(create, lambda now: now.trouble is None and now.progress)
        up.clear()
        second = tenant.wait_for(create, lambda now: now.trouble_since).trouble_since
        assert second > first
        del heat.list
        up.set()
        tenant.wait(create)


def _held(heat, up):
    def listing(tag):
        heat.fault('list')
        return [view for view in heat._stacks.values() if tag in view.tags]

    return listing


def test_a_stack_that_cannot_be_deleted_fails_the_deletion(conf, tenant, heat):
    """Every second look is good there: the deletion is under way again."""
    conf.set_override('trouble_s', 1, group='conductor')
    with working(conf):
        create = tenant.create()
        tenant.wait(create)
        stuck = f'tiny-{create.cluster_id}'
        heat.undeletable.add(stuck)
        failed = tenant.wait(tenant.delete(create.cluster_id), 'FAILED')
        assert failed.error_code == 'trouble'
        assert f'stack {stuck} is DELETE_FAILED' in failed.error_text
        assert 'network (OS::Neutron::Net): it is in use' in failed.error_text
        assert [(cause['part'], cause['reason']) for cause in failed.causes] == [
            (stuck, 'it is in use')
        ]
        heat.undeletable.clear()
        tenant.wait(tenant.delete(create.cluster_id))


def test_a_late_operation_ends_though_the_cloud_does_not_answer(conf, tenant, heat):
    heat.fault = away
    create = tenant.create(timeout_min=0.01)
    with working(conf):
        failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'timeout' and '503 Service Unavailable' in failed.error_text


def test_a_status_that_cannot_be_read_ends_the_operation(conf, tenant, heat):
    """The stacks are complete, their addresses never come."""
    conf.set_override('trouble_s', 1, group='conductor')

    class Broken(Tiny):
        def get_status(self, cloud, spec, /):
            raise ZeroDivisionError

    create = tenant.create(timeout_min=0)
    with working(conf, Broken()):
        failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'trouble' and 'get_status' in failed.error_text


def test_a_step_that_always_outlasts_its_lease_ends_the_operation(conf, tenant, heat):
    conf.set_override('trouble_s', 1, group='conductor')
    conf.set_override('heat_timeout_s', 300, group='cloud')  # no call fits into the lease
    create = tenant.create(timeout_min=0)
    with working(conf):
        failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'trouble' and 'the step took too long' in failed.error_text
    assert heat.calls == []


def test_a_stack_that_is_listed_and_not_found_is_looked_at_again(conf, tenant, heat):
    """Its outputs are what the next stack and the user get: nothing is told without them."""
    found, lies = heat.get, []

    def get(stack):
        if len(lies) < 6:
            lies.append(stack)
            return None
        return found(stack)

    heat.get = get
    create = tenant.create()
    with working(conf):
        tenant.wait(create)
    assert tenant.cluster(create.cluster_id).api_address == 'api_address'
    assert len(heat.made) == 2


def test_a_list_that_fails_as_nobody_foresaw_keeps_no_operation_waiting(conf, tenant, heat):
    """Those of one project that are due share it."""
    listing = heat.list

    def broken(tag):
        if tag == 'magnum_lite':
            raise RuntimeError('nobody foresaw this')
        return listing(tag)

    heat.list = broken
    creates = [tenant.create() for _ in range(8)]
    with working(conf):
        for create in creates:
            tenant.wait(create)


def _since(tenant, operation, **minutes):
    """Set moments of an operation to so many minutes ago."""
    values = {name: store.utcnow() - datetime.timedelta(minutes=by) for name, by in minutes.items()}
    tenant.database.write(store.update, Operation, values, uuid=operation.uuid)


def test_an_operation_that_waited_longer_than_its_timeout_is_done_afterwards(conf, tenant):
    """All conductors were down for twenty minutes; it may take fifteen."""
    create = tenant.create(timeout_min=15)
    assert tenant.operation(create.uuid).deadline_at is None
    _since(tenant, create, created_at=20)
    with working(conf):
        done = tenant.wait(create)
    limit = (done.deadline_at - done.started_at).total_seconds()
    assert limit == pytest.approx(15 * 60, abs=1)


def test_a_deadline_of_release_1_0_begins_anew_with_the_first_claim(conf, tenant):
    create = tenant.create(timeout_min=15)
    _since(tenant, create, deadline_at=5)
    with working(conf):
        tenant.wait(create)


def test_a_deadline_of_release_1_0_stays_once_work_began(conf, tenant):
    create = tenant.create(timeout_min=15)
    _since(tenant, create, deadline_at=5, started_at=20)
    with working(conf):
        failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'timeout'


def test_a_change_that_waits_its_turn_has_its_whole_time(conf, tenant):
    with working(conf):
        create = tenant.create()
        tenant.wait(create)
    first = tenant.resize(create.cluster_id, 2)
    second = tenant.add_group(create.cluster_id, 'more')
    with working(conf):
        tenant.wait(first)
        done = tenant.wait(second)
    assert (done.deadline_at - done.started_at).total_seconds() == pytest.approx(900, abs=1)


def test_no_limit_stays_none(conf, tenant):
    create = tenant.create(timeout_min=0)
    with working(conf):
        assert tenant.wait(create).deadline_at is None
