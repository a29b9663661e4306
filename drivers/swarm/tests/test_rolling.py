"""Managers that are made anew: one after the other, by a real Heat, and never without quorum."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import DONE, Failed, Network
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.steps import Steps
from magnum_lite_swarm import demote, names

from .managers import node

BALANCED = Network(external_network='public', master_lb_enabled=True)


class Cloud:
    """The cloud, whose servers of base stacks are managers of our swarm once their stack is
    complete; one that is gone is down.

    :ivar quorums: how many managers there were, and how many of them ready, look by look.
    """

    def __init__(self, real, managers):
        self._real, self._managers = real, managers
        self.heat, self.quorums = self, []

    def __getattr__(self, name):
        return getattr(self._real.heat, name)

    def get(self, stack):
        view = self._real.heat.get(stack)
        if not view or not view.name.endswith('-base'):
            return view
        if view.complete:
            self._sync(view.outputs)
        outputs = {**view.outputs, 'api_address': self._managers.url}
        return dataclasses.replace(view, outputs=outputs)

    def _sync(self, outputs):
        found = dict(outputs['refs_map']) | (
            {'spare': outputs['spare']} if outputs['spare'] else {}
        )
        for row in self._managers.nodes.values():
            server = row['Description']['Engine']['Labels']['magnum-lite.server']
            if server not in found.values():
                row['Status']['State'] = 'down'
        known = self._managers.servers('manager') | self._managers.servers('worker')
        for index, server in found.items():
            if server not in known:
                self._managers.add(node(f'm{index}-{server[:4]}', role='manager', server=server))
        self._managers.speaker = found['0']
        rows = [row for row in self._managers.nodes.values() if row['Spec']['Role'] == 'manager']
        self.quorums.append((len(rows), len(self._managers.servers('manager'))))


@pytest.fixture
def cloud(real_cloud, managers):
    return Cloud(real_cloud, managers)


@pytest.fixture
def make(driver, make_spec, authority, cloud):
    """``make(count, **changes of the spec)``: the spec of a cluster that is there."""
    made = []

    def make(count, **changes):
        spec = make_spec(secrets={**example.secrets(driver), **authority.secrets}, **changes)
        spec = with_masters(spec, node_count=count)
        made.append(spec)
        assert finish(lambda: driver.create(cloud, spec)) == DONE
        return spec

    yield make
    for spec in made:
        finish(lambda spec=spec: driver.delete(cloud, spec))


def with_masters(spec, **changes):
    """A spec with another group of managers."""
    masters = dataclasses.replace(spec.control_plane, **changes)
    return dataclasses.replace(spec, node_groups=(masters, *spec.worker_groups))


def base(cloud, spec):
    """The base stack."""
    return cloud.get(names.base_stack(spec))


def trouble(steps, cloud):
    """Take steps until one tells of trouble; what it says."""

    def step():
        progress = steps.take(cloud)
        found = getattr(progress, 'trouble', '')
        return Failed('stuck', found) if found else progress

    return finish(step).text


def test_three_managers_follow_one_another_while_all_others_are_there(
    driver, cloud, make, managers
):
    spec = make(3, network=BALANCED)
    before = base(cloud, spec).outputs
    servers = set(before['refs_map'].values())
    (third,) = (row for name, row in managers.nodes.items() if name.startswith('id-m2'))
    third['ManagerStatus']['Reachability'] = 'unreachable'
    wanted = with_masters(spec, image='ubuntu-24.04')
    steps = Steps(driver.upgrade, dataclasses.replace(wanted, attempt='upgrade'))
    assert 'm2-' in (told := trouble(steps, cloud)) and 'cannot be reached by the others' in told
    assert managers.servers('manager') == servers
    third['ManagerStatus']['Reachability'] = 'reachable'
    assert finish(lambda: steps.take(cloud)) == DONE
    after = base(cloud, spec).outputs
    assert servers.isdisjoint(after['refs_map'].values())
    assert before['managers'] == after['managers']
    # Never more than one is away, and who is away is no manager: the others are a majority.
    assert {ready for _, ready in cloud.quorums} == {2, 3}
    assert all(ready == count for count, ready in cloud.quorums)
    assert [told.phase for told in steps.entered] == [demote.PHASE, 'stacks']
    assert managers.servers('manager') == set(after['refs_map'].values())
    assert driver.update(cloud, dataclasses.replace(wanted, attempt='later')) == DONE


def test_an_only_manager_hands_the_swarm_on_and_gets_it_back(driver, cloud, make, managers):
    spec = make(1)
    old = base(cloud, spec).outputs['refs_map']['0']
    wanted = with_masters(spec, config={'log_driver': 'journald'})
    steps = Steps(driver.upgrade, dataclasses.replace(wanted, attempt='upgrade'))
    managers.refusal = 503, 'no leader'
    assert 'the swarm does not let it: answers 503: no leader' in trouble(steps, cloud)
    assert base(cloud, spec).outputs['refs_map']['0'] == old
    managers.refusal = None
    assert finish(lambda: steps.take(cloud)) == DONE
    assert base(cloud, spec).outputs['spare'] == ''
    assert {ready for _, ready in cloud.quorums} == {1, 2}
    new = base(cloud, spec).outputs['refs_map']['0']
    assert new != old and managers.servers('manager') == {new}
    # Neither its predecessor nor the spare is listed any more.
    assert len(managers.nodes) == 1
