"""New nodes beside old ones: at each moment as many work as are wanted, whoever dies or fails."""

import contextlib
import itertools

import pytest

from magnum_lite.conductor import resolve
from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.db.engine import now
from magnum_lite.driver_sdk.testing.fake import Killed
from magnum_lite.objects import Cluster, Operation
from tests.engine import files
from tests.engine.conftest import BOTH
from tests.engine.surging import (
    NODES,
    SurgingTiny,
    Watching,
    check,
    is_draining,
    lose,
    run,
    states,
    texts,
    upgrade,
    workers,
    working,
)
from tests.engine.tiny_files import TinyFiles

NOT_NEEDED = 'nodes of another generation are not needed any more'
LEAST_POINTS, MOST_POINTS, STRIDE = 40, 150, 3  # of an upgrade


@pytest.fixture
def heat(memory_heat):
    """The Heat of everybody."""
    return memory_heat


@pytest.fixture
def driver(request, tmp_path, monkeypatch):
    """A driver whose upgrades surge."""
    monkeypatch.setattr(files, 'BUILD_S', 0.02)
    is_heat = getattr(request, 'param', 'files') == 'heat'
    return SurgingTiny() if is_heat else TinyFiles(tmp_path / 'cloud')


@pytest.fixture
def tenant(tenant, heat):
    """Who looks at the Heat of everybody."""
    tenant.heat = heat
    return tenant


@pytest.fixture
def managers(conf, database, driver):
    """Makes workers, each with a name of its own."""
    names = itertools.count()
    return lambda: Manager(
        conf, database, Registry({'tiny': driver}), owner=f'worker-{next(names)}'
    )


@pytest.fixture
def cluster_id(tenant, managers):
    """A cluster of two workers."""
    create = tenant.create(nodes=NODES)
    run(managers(), tenant, create)
    return create.cluster_id


@BOTH
def test_old_nodes_are_there_until_the_new_ones_are(tenant, managers, cluster_id):
    group, operation, shown = workers(tenant, cluster_id), upgrade(tenant, cluster_id), []

    def look(now):
        if now.progress:  # after its first step
            shown.append((workers(tenant, cluster_id).generation, states(tenant)))
        assert working(tenant, group) >= NODES
        return now.ended_at

    assert run(managers(), tenant, operation, look).state == 'DONE'
    assert [found for found, _ in itertools.groupby(shown)] == [
        (1, {1: 'current', 2: 'coming'}),
        (2, {1: 'going'}),
        (2, {}),
    ]
    check(tenant, cluster_id, 2, 'debian-14')
    said = texts(tenant, operation)
    assert said.index('stage drain begins') < said.index(NOT_NEEDED)


@BOTH
def test_a_worker_that_dies_at_any_point_costs_nobody_a_node(
    database, tenant, heat, managers, cluster_id, monkeypatch
):
    """Before each transaction that writes and each call to the cloud: what is there after one is
    there before the next."""

    def die():
        raise Killed

    group, doom = workers(tenant, cluster_id), Watching(0, die)
    if tenant.backend:
        doom.haunt(monkeypatch.setattr, files.Files, ('list', 'write', 'drain', 'remove'))
    else:
        doom.haunt(monkeypatch.setattr, heat)
    doom.look = lambda: working(tenant, group)
    for number, point in enumerate(range(1, MOST_POINTS, STRIDE), 2):
        operation = upgrade(tenant, cluster_id, f'debian-{number}')
        doom.left = point
        with contextlib.suppress(Killed):
            run(managers(), tenant, operation)
        doom.began = False
        if not tenant.operation(operation.uuid).ended_at:
            lose(database, operation)
            assert run(managers(), tenant, operation).state == 'DONE'
            doom.began = False
        check(tenant, cluster_id, number, f'debian-{number}')
        if doom.left > 0:  # no such point
            break
    assert LEAST_POINTS < point < MOST_POINTS - STRIDE


def test_an_upgrade_without_room_keeps_both_and_the_next_change_goes_on(
    tenant, driver, managers, cluster_id
):
    operation = upgrade(tenant, cluster_id)
    driver.backend.fault(message='no room')
    failed = run(managers(), tenant, operation)
    assert (failed.state, failed.error_code) == ('FAILED', 'file-failed')
    group = workers(tenant, cluster_id)
    assert (group.generation, group.image_id, group.status) == (1, 'debian-13', 'UPDATE_FAILED')
    assert working(tenant, group) == NODES and len(group.node_addresses) == 2 * NODES
    assert states(tenant) == {2: 'going'}
    assert [text for text in texts(tenant, operation) if 'kept beside the old ones' in text]

    driver.backend.clear_faults()
    resize = tenant.resize(cluster_id, 3)
    assert run(managers(), tenant, resize).state == 'DONE'
    assert NOT_NEEDED in texts(tenant, resize)
    check(tenant, cluster_id, 1, 'debian-13', nodes=3)
    assert run(managers(), tenant, upgrade(tenant, cluster_id)).state == 'DONE'
    check(tenant, cluster_id, 2, 'debian-14', nodes=3)


def test_what_failed_may_be_asked_for_again_at_once(database, tenant, driver, managers, cluster_id):
    """No user can: the cluster has to be at rest. The nodes that are there already stay."""
    driver.backend.fault(message='no room')
    run(managers(), tenant, upgrade(tenant, cluster_id))
    driver.backend.clear_faults()
    database.write(store.update, Cluster, {'status': 'UPDATE_COMPLETE'}, uuid=cluster_id)
    operation = upgrade(tenant, cluster_id, 'debian-15')
    found = run(managers(), tenant, operation, lambda now: now.progress)
    assert states(tenant) == {1: 'current', 2: 'coming'} and not found.ended_at
    lose(database, operation)
    assert run(managers(), tenant, operation).state == 'DONE'
    check(tenant, cluster_id, 2, 'debian-15')


def test_after_the_turn_there_is_no_way_back(database, tenant, managers, cluster_id):
    """Nodes may be drained already: those that work are the new ones."""
    operation = upgrade(tenant, cluster_id, rollback=True)
    run(managers(), tenant, operation, is_draining(tenant))
    database.write(store.update, Operation, {'deadline_at': now(-1)}, uuid=operation.uuid)
    lose(database, operation)
    assert run(managers(), tenant, operation).error_code == 'timeout'
    group = workers(tenant, cluster_id)
    assert (group.generation, group.image_id) == (2, 'debian-14')
    assert working(tenant, group) >= NODES and states(tenant) == {1: 'going'}
    with database.read() as connection:
        rollback = store.find(connection, Operation, kind='rollback')[0]
    assert run(managers(), tenant, rollback).state == 'DONE'
    check(tenant, cluster_id, 2, 'debian-14')


def test_before_it_a_rollback_is_one(tenant, driver, managers, cluster_id):
    driver.backend.fault(message='no room')
    run(managers(), tenant, upgrade(tenant, cluster_id, rollback=True))
    driver.backend.clear_faults()
    with tenant.database.read() as connection:
        rollback = store.find(connection, Operation, kind='rollback')[0]
    assert run(managers(), tenant, rollback).state == 'DONE'
    check(tenant, cluster_id, 1, 'debian-13')


@BOTH
def test_a_resize_waits_and_is_of_the_new_nodes(tenant, managers, cluster_id):
    operation = upgrade(tenant, cluster_id)
    run(managers(), tenant, operation, is_draining(tenant))
    resize = tenant.resize(cluster_id, 1, remove=['0'])
    lose(tenant.database, operation)
    assert run(managers(), tenant, operation).state == 'DONE'
    assert run(managers(), tenant, resize).state == 'DONE'
    check(tenant, cluster_id, 2, 'debian-14', nodes=1)
    assert workers(tenant, cluster_id).removed == [0]


def test_members_that_are_gone_were_of_the_old_nodes(tenant, managers, cluster_id):
    run(managers(), tenant, tenant.resize(cluster_id, 1, remove=['0']))
    assert [node[-2:] for node in workers(tenant, cluster_id).node_addresses] == ['-1']
    run(managers(), tenant, upgrade(tenant, cluster_id))
    assert [node[-4:] for node in workers(tenant, cluster_id).node_addresses] == ['-2-0']


@BOTH
@pytest.mark.parametrize('state', ['current', 'going'])
def test_nothing_is_left_of_a_cluster_that_is_deleted_meanwhile(
    tenant, managers, cluster_id, state
):
    run(managers(), tenant, upgrade(tenant, cluster_id), lambda now: states(tenant).get(1) == state)
    delete = tenant.delete(cluster_id)
    assert run(managers(), tenant, delete).state == 'DONE'
    assert states(tenant) == {} and tenant.stacks() == {}


def test_one_group_does_not_end_what_another_keeps(tenant, driver, managers, cluster_id):
    run(managers(), tenant, tenant.add_group(cluster_id, 'more'))
    more = tenant.groups(cluster_id)['more']
    driver.backend.fault(message='no room')
    run(
        managers(),
        tenant,
        tenant.whole(
            cluster_id,
            'upgrade',
            node_group=more.uuid,
            groups={more.uuid: {'image_id': 'debian-14', 'generation': 2}},
        ),
    )
    driver.backend.clear_faults()
    parts = {part.name: part for part in tenant.parts() if more.uuid[:8] in part.name}
    assert len(parts) == 2 and states(tenant) == {2: 'going'}
    assert run(managers(), tenant, tenant.resize(cluster_id, 3)).state == 'DONE'
    assert {part.name: part for part in tenant.parts() if part.name in parts} == parts
    assert states(tenant) == {2: 'going'}
    assert run(managers(), tenant, tenant.remove_group(cluster_id, 'more')).state == 'DONE'
    check(tenant, cluster_id, 1, 'debian-13', nodes=3)


def test_a_worker_of_release_1_0_ends_it_without_draining(
    database, tenant, managers, cluster_id, monkeypatch
):
    """It knows no generations: the new nodes are there before it removes the old ones. What it
    leaves in the table goes with the next change."""
    operation = upgrade(tenant, cluster_id)
    run(managers(), tenant, operation, lambda now: states(tenant))
    lose(database, operation)
    with monkeypatch.context() as patch:
        patch.setattr(resolve.generations, 'of', lambda connection, cluster_id: {})
        patch.setattr(resolve.Rows, 'begins', frozenset())
        patch.setattr(Operation, 'stages', ())
        assert run(managers(), tenant, operation).state == 'DONE'
    assert states(tenant) == {1: 'current', 2: 'coming'}
    assert run(managers(), tenant, tenant.resize(cluster_id, 3)).state == 'DONE'
    check(tenant, cluster_id, 2, 'debian-14', nodes=3)
