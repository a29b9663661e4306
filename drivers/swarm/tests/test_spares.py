"""Which workers a swarm can spare, by managers with real certificates."""

import socket
import types

import pytest

from magnum_lite.driver_sdk import StackView
from magnum_lite.driver_sdk.testing import example
from magnum_lite_swarm import nodes

from .managers import node

REFS = {str(index): f'server-of-w{index}' for index in range(4)}


@pytest.fixture
def spare(driver, make_spec, authority, managers):
    """``spare(count, removed=())``: who goes of four workers, so that so many stay."""
    full = make_spec(secrets={**example.secrets(driver), **authority.secrets})

    def spare(count, *, removed=(), url=managers.url, refs=REFS, timeout_s=10):
        spec = example.with_nodes(full, count, removed=removed)
        outputs = {'api_address': url, 'refs_map': refs}
        view = StackView('id', 'name', 'CREATE_COMPLETE', outputs=outputs)
        cloud = types.SimpleNamespace(heat=types.SimpleNamespace(get=lambda name: view))
        manager = driver.get_scale_manager(cloud, spec)
        return manager.spare(spec.worker_groups[0].uuid, timeout_s=timeout_s)

    return spare


@pytest.fixture
def swarm(managers):
    """The managers of a swarm of four workers, of which the second alone runs nothing."""
    managers.add(node('m0', role='manager'), *(node(f'w{index}') for index in range(4)))
    managers.running = {'id-m0': 9, 'id-w0': 2, 'id-w2': 1, 'id-w3': 3}
    return managers


def test_the_empty_node_goes_then_those_with_the_fewest_tasks(spare, swarm):
    assert spare(3) == (1,)
    assert spare(2) == (1, 2)
    assert spare(1) == (0, 1, 2)
    assert spare(0) == (0, 1, 2, 3)


def test_of_equal_ones_the_last_goes(spare, swarm):
    swarm.running = {}
    assert spare(2) == (2, 3)


def test_a_node_that_is_down_or_never_joined_goes_before_an_empty_one(spare, swarm):
    swarm.add(node('w0', state='down'))
    assert spare(3) == (0,)
    del swarm.nodes['id-w3']
    assert spare(2) == (0, 3)


def test_those_that_were_named_count(spare, swarm):
    assert spare(2, removed=(3,)) == (1,)
    assert spare(3, removed=(3,)) == ()


def test_nobody_is_asked_when_nobody_is_too_many(spare, swarm):
    assert spare(4) == spare(9) == ()
    assert spare(0, refs={}) == spare(0, refs=None) == ()
    assert swarm.asked == []


def test_many_nodes_are_asked_about_in_parts(spare, swarm, monkeypatch):
    monkeypatch.setattr(nodes, 'MOST_ASKED', 3)
    assert spare(2) == (1, 2)
    assert len(swarm.asked) == 3


def test_a_swarm_that_does_not_answer_leaves_the_choice_to_heat(spare, swarm):
    assert spare(2, url=None) == ()
    with socket.create_server(('127.0.0.1', 0)) as silent:
        url = f'tcp://127.0.0.1:{silent.getsockname()[1]}'
        assert spare(2, url=url, timeout_s=0.3) == ()
    swarm.refusal = 503, 'no leader'
    assert spare(2) == ()
