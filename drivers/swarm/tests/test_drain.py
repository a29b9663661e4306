"""Nodes that go: their tasks leave first, then they leave the swarm."""

import dataclasses
import ipaddress
import socket

import pytest

from magnum_lite.driver_sdk import DONE
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.steps import Steps
from magnum_lite_swarm import drain, names

from .managers import node

GOING = ('server-of-w1', 'server-of-w2')


@pytest.fixture
def spec(driver, make_spec, authority):
    return make_spec(secrets={**example.secrets(driver), **authority.secrets})


def take(steps):
    """The phases and numbers of steps until there is nothing to wait for."""
    seen = []
    while waiting := steps.take(None):
        seen.append((waiting.phase, waiting.done, waiting.total))
        assert len(seen) < 20
    return seen


def steps_of(spec, url, going=GOING):
    return Steps(lambda _, told: drain.step(told, url, going), spec)


def test_tasks_leave_then_nodes_leave_and_others_stay(spec, managers):
    managers.add(node('m0', role='manager'), *(node(f'w{index}') for index in range(3)))
    managers.tasks['id-w1'] = 2
    seen = take(steps_of(spec, managers.url))
    assert seen == [('drain', 0, 2), ('drain', 1, 2), ('drain', 1, 2)]
    assert set(managers.nodes) == {'id-m0', 'id-w0'}
    assert all(row['Spec']['Availability'] == 'active' for row in managers.nodes.values())
    first = [call for call in managers.asked if 'id-w1' in call]
    assert first[:2] == ['GET /nodes/id-w1', 'POST /nodes/id-w1/update?version=1']


def test_a_node_that_is_down_is_not_waited_for(spec, managers):
    managers.add(node('w1', state='down'))
    managers.tasks['id-w1'] = 99
    assert len(take(steps_of(spec, managers.url))) == 1
    assert not managers.nodes


def test_a_manager_that_goes_is_demoted_before(spec, managers):
    managers.add(node('m1', role='manager', server='server-of-w1'))
    take(steps_of(spec, managers.url))
    assert not managers.nodes  # no manager may be removed, see Managers


def test_servers_that_are_in_no_swarm_hold_nothing_up(spec, managers):
    managers.add(node('w1', server=''))
    assert drain.step(spec, managers.url, GOING) is None
    assert managers.nodes


def test_a_drain_that_takes_too_long_ends(spec, managers, monkeypatch):
    managers.add(node('w1'))
    managers.tasks['id-w1'] = 10**6
    steps = steps_of(spec, managers.url)
    steps.take(None)
    began = steps.spec.cursor['began']
    monkeypatch.setattr('time.time', lambda: began + spec.config['drain_timeout'] - 1)
    assert steps.take(None) is not None
    monkeypatch.setattr('time.time', lambda: began + spec.config['drain_timeout'])
    assert steps.take(None) is None
    assert managers.nodes


def test_a_silent_swarm_is_asked_for_a_while_and_a_good_answer_begins_it_anew(
    spec, managers, monkeypatch
):
    managers.add(node('w1'))
    managers.tasks['id-w1'] = 10**6
    now = [1000.0]
    monkeypatch.setattr('time.time', lambda: now[0])
    steps = steps_of(spec, managers.url)
    steps.take(None)
    for _ in range(2):
        managers.refusal = 503, 'no leader'
        waiting = steps.take(None)
        assert 'does not let nodes go: answers 503: no leader' in waiting.reason
        now[0] += drain.SILENT_S - 1
        assert steps.take(None) is not None
        managers.refusal = None
        assert 'nodes that tasks leave: 1 of 2' in steps.take(None).reason
    managers.refusal = 503, 'no leader'
    steps.take(None)
    now[0] += drain.SILENT_S
    assert steps.take(None) is None


def test_who_cannot_ask_does_not_wait(spec, make_spec, managers):
    assert drain.step(spec, None, GOING) is None
    assert drain.step(make_spec(), managers.url, GOING) is None


def test_managers_in_a_denied_network_are_not_asked(spec, managers):
    managers.add(node('m0', role='manager'), node('w1'))
    denied = (ipaddress.ip_network('127.0.0.0/8'),)
    spec = dataclasses.replace(spec, denied_networks=denied)
    assert drain.step(spec, managers.url, GOING) is None
    drain.forget(spec, managers.url, set())
    assert managers.asked == [] and len(managers.nodes) == 2


def test_an_older_generation_goes_in_batches_between_which_services_settle(
    spec, managers, monkeypatch
):
    managers.add(*(node(f'w{index}') for index in range(1, 4)))
    going = [f'server-of-w{index}' for index in range(1, 4)]
    spec = dataclasses.replace(example.surge(spec)[1], max_batch_size=2)
    now = [1000.0]
    monkeypatch.setattr('time.time', lambda: now[0])
    steps = steps_of(spec, managers.url, going)

    def left():
        found = {name[3:]: row['Spec']['Availability'] for name, row in managers.nodes.items()}
        return steps.take(None) and found

    managers.services = [(1, 2), (1, 1)]
    assert left() == left() == dict.fromkeys(('w1', 'w2', 'w3'), 'active')
    managers.services = [(2, 2), (1, 1)]
    left()
    managers.services = [(0, 1)]
    assert left() == {'w1': 'drain', 'w2': 'drain', 'w3': 'active'}
    assert left() == left() == {'w3': 'active'}
    # A service that never runs as it should holds up no upgrade.
    now[0] += drain.SETTLED_S
    left()
    assert left() is None and not managers.nodes


def test_what_is_no_server_any_more_is_forgotten(spec, managers):
    managers.add(node('m0', role='manager'), node('w0'), node('w1', state='down'))
    managers.add(node('guest', server='', state='down'))
    drain.forget(spec, managers.url, {'server-of-w0'})
    assert set(managers.nodes) == {'id-m0', 'id-w0', 'id-guest'}
    managers.refusal = 503, 'no leader'
    drain.forget(spec, managers.url, set())


class TestOnHeat:
    """With stacks of the real Heat, whose base stack tells of our managers."""

    @pytest.fixture
    def cloud(self, real_cloud, managers):
        """The cloud, whose base stacks say that our managers are theirs."""

        class Heat:
            def __getattr__(self, name):
                return getattr(real_cloud.heat, name)

            def get(self, stack):
                view = real_cloud.heat.get(stack)
                if view and view.name.endswith('-base'):
                    outputs = {**view.outputs, 'api_address': managers.url}
                    return dataclasses.replace(view, outputs=outputs)
                return view

        return type('Cloud', (), {'heat': Heat()})()

    def nodes_of(self, managers, cloud, spec):
        """Let each worker's server be a node of the swarm."""
        stack = names.worker_stack(spec, spec.worker_groups[0])
        refs = cloud.heat.get(stack).outputs['refs_map']
        managers.add(*(node(f'w{index}', server=server) for index, server in refs.items()))

    def test_a_smaller_group_is_drained_first_and_a_lost_node_is_forgotten(
        self, driver, cloud, spec, managers
    ):
        three = example.with_nodes(spec, 3)
        try:
            assert finish(lambda: driver.create(cloud, three)) == DONE
            self.nodes_of(managers, cloud, three)
            managers.add(node('lost', state='down'))
            managers.tasks['id-w1'] = 1
            two = example.with_nodes(spec, 2, removed=(1,))
            steps = Steps(driver.update, dataclasses.replace(two, attempt='resize'))
            seen = []

            def step():
                seen.append(set(managers.nodes))
                return steps.take(cloud)

            assert finish(step) == DONE
            assert [told.phase for told in steps.entered] == ['drain', 'stacks']
            assert seen[0] == {'id-w0', 'id-w1', 'id-w2', 'id-lost'}
            assert set(managers.nodes) == {'id-w0', 'id-w2'}
            calls = len(managers.asked)
            assert driver.update(cloud, two) == DONE
            assert len(managers.asked) == calls, 'a cluster at rest is not asked'
        finally:
            finish(lambda: driver.delete(cloud, spec))

    def test_a_swarm_that_is_away_is_let_go_without(self, driver, real_cloud, spec, monkeypatch):
        monkeypatch.setattr(drain, 'SILENT_S', 0)
        with socket.create_server(('127.0.0.1', 0)):
            try:
                assert finish(lambda: driver.create(real_cloud, spec)) == DONE
                none = example.with_nodes(spec, 0)
                steps = Steps(driver.update, dataclasses.replace(none, attempt='resize'))
                assert finish(lambda: steps.take(real_cloud)) == DONE
            finally:
                finish(lambda: driver.delete(real_cloud, spec))
