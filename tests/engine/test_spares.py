"""A group becomes smaller: those members go first that the driver can spare, and nobody twice."""

import contextlib
import ipaddress
import itertools

import pytest

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.db.engine import now
from magnum_lite.driver_sdk import CloudUnavailable
from magnum_lite.driver_sdk.scale import surplus
from magnum_lite.driver_sdk.testing.fake import Killed
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Indexes
from tests.engine import files
from tests.engine.doom import Doom
from tests.engine.memory import MemoryHeat
from tests.engine.surging import lose, run, texts, workers
from tests.engine.tiny_files import TinyFiles

NODES = 4
LEAST_POINTS, MOST_POINTS, STRIDE = 10, 60, 2  # of a resize


class Sparing(TinyFiles):
    """As TinyFiles; knows how many tasks run on its members.

    :ivar tasks: ``{index: number}``; none elsewhere.
    :ivar asked: the seconds of each question.
    :ivar denied: the networks in which nothing is asked, as its last step was told.
    :ivar answer: what it answers, of the members in the order of their tasks and how many go.
    """

    def __init__(self, home):
        super().__init__(home)
        self.tasks, self.asked = {}, []
        self.answer = lambda left, count: tuple(left[:count])

    def get_scale_manager(self, cloud, spec, /):
        """Who knows that."""
        self.denied = spec.denied_networks
        return Busy(self, cloud, spec)


class Busy(Indexes):
    """Chooses the members with the fewest tasks, of those the first."""

    def __init__(self, driver, cloud, spec):
        self.driver, self.cloud, self.spec = driver, cloud, spec

    def spare(self, node_group, *, timeout_s):
        """As the driver has it."""
        self.driver.asked.append(timeout_s)
        group = next(group for group in self.spec.node_groups if group.uuid == node_group)
        there = {
            str(index): 'server'
            for file in self.cloud.list(self.spec.uuid)
            if file.node_group == node_group
            for index in file.members
        }
        left = sorted(set(map(int, there)) - {*group.removed}, key=self._tasks)
        return self.driver.answer(left, surplus(there, group))

    def _tasks(self, index):
        return self.driver.tasks.get(index, 0), index


@pytest.fixture
def heat():
    """None is needed."""
    return MemoryHeat()


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A driver that knows what its members do."""
    monkeypatch.setattr(files, 'BUILD_S', 0.02)
    return Sparing(tmp_path / 'cloud')


@pytest.fixture
def managers(conf, database, driver):
    """Makes workers, each with a name of its own."""
    names = itertools.count()
    return lambda: Manager(
        conf, database, Registry({'tiny': driver}), owner=f'worker-{next(names)}'
    )


@pytest.fixture
def cluster_id(tenant, managers):
    """A cluster of some workers."""
    create = tenant.create(nodes=NODES)
    run(managers(), tenant, create)
    return create.cluster_id


def members(tenant, cluster_id):
    """Indexes of the members that the group says it has."""
    return [int(node.rpartition('-')[2]) for node in workers(tenant, cluster_id).node_addresses]


def test_members_on_which_least_runs_go_first(tenant, driver, managers, cluster_id):
    driver.tasks = {0: 3, 2: 1, 3: 2}
    resize = tenant.resize(cluster_id, 2)
    assert run(managers(), tenant, resize).state == 'DONE'
    assert members(tenant, cluster_id) == [0, 3]
    assert workers(tenant, cluster_id).removed == [1, 2]
    assert 'members [1, 2] of the group can be spared' in texts(tenant, resize)
    assert len(driver.asked) == 1 and 0 < driver.asked[0] < 30


def test_those_that_are_named_go_before_them(tenant, driver, managers, cluster_id):
    driver.tasks = {0: 2, 2: 1, 3: 3}
    run(managers(), tenant, tenant.resize(cluster_id, 2, remove=['3']))
    assert members(tenant, cluster_id) == [0, 2]
    run(managers(), tenant, tenant.resize(cluster_id, 1, remove=['0']))
    assert members(tenant, cluster_id) == [2]


def test_what_takes_nobody_away_asks_nothing(tenant, driver, managers, cluster_id):
    for count in (NODES, NODES + 1):
        run(managers(), tenant, tenant.resize(cluster_id, count))
    run(managers(), tenant, tenant.resize(cluster_id, NODES + 1, remove=['0']))
    assert driver.asked == []


def test_a_worker_that_dies_at_any_point_takes_nobody_else_away(
    database, tenant, driver, managers, cluster_id, monkeypatch
):
    """Each question has another answer, as of a cluster that works: the last one counts."""

    def die():
        raise Killed

    def turned(left, count):
        assert count == 1
        answers.append(left[len(driver.asked) % 2])
        return (answers[-1],)

    doom, driver.answer, answers = Doom(0, die), turned, []
    doom.haunt(monkeypatch.setattr, files.Files, ('list', 'write', 'remove'))
    for point in range(1, MOST_POINTS, STRIDE):
        before = members(tenant, cluster_id)
        operation = tenant.resize(cluster_id, NODES - 1)
        doom.left, doom.began = point, False
        with contextlib.suppress(Killed):
            run(managers(), tenant, operation)
        doom.began = False
        if not tenant.operation(operation.uuid).ended_at:
            lose(database, operation)
            assert run(managers(), tenant, operation).state == 'DONE'
        assert set(before) - set(members(tenant, cluster_id)) == {answers[-1]}
        assert len(members(tenant, cluster_id)) == NODES - 1
        alive, doom.left = doom.left > 0, 0
        run(managers(), tenant, tenant.resize(cluster_id, NODES))
        if alive:  # no such point
            break
    assert LEAST_POINTS < point < MOST_POINTS - STRIDE


def test_a_change_that_fails_gives_members_their_places_back(
    database, tenant, driver, managers, cluster_id
):
    operation = tenant.resize(cluster_id, NODES - 1)
    run(managers(), tenant, operation, lambda now: now.progress)
    assert workers(tenant, cluster_id).removed == [0]
    database.write(store.update, Operation, {'deadline_at': now(-1)}, uuid=operation.uuid)
    lose(database, operation)
    assert run(managers(), tenant, operation).error_code == 'timeout'
    group = workers(tenant, cluster_id)
    assert (group.node_count, group.removed) == (NODES, [])
    run(managers(), tenant, tenant.resize(cluster_id, NODES))
    assert members(tenant, cluster_id) == list(range(NODES))


def test_a_cluster_that_does_not_say_leaves_it_to_the_backend(tenant, driver, managers, cluster_id):
    driver.answer = lambda left, count: ()
    run(managers(), tenant, tenant.resize(cluster_id, 2))
    assert members(tenant, cluster_id) == [0, 1] and len(driver.asked) == 1


def test_a_cloud_that_is_away_is_asked_again(tenant, driver, managers, cluster_id):
    def away(left, count):
        if len(driver.asked) == 1:
            raise CloudUnavailable('away')
        return tuple(left[:count])

    driver.answer = away
    assert run(managers(), tenant, tenant.resize(cluster_id, 3)).state == 'DONE'
    assert members(tenant, cluster_id) == [1, 2, 3]


@pytest.mark.parametrize('answer', [[0], ('0',), None])
def test_an_odd_answer_is_told(answer, tenant, driver, managers, cluster_id):
    driver.answer = lambda left, count: answer
    failed = run(managers(), tenant, tenant.resize(cluster_id, 3))
    assert failed.state == 'FAILED' and 'answered what it must not in spare' in failed.error_text


def test_a_step_is_told_where_nothing_is_asked(conf, tenant, driver, managers, cluster_id):
    network = ipaddress.ip_network('192.0.2.0/24')
    conf.set_override('denied_networks', [network], 'health')
    run(managers(), tenant, tenant.resize(cluster_id, 3))
    assert driver.denied == (network,)
