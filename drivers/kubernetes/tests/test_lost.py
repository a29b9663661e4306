"""Servers that somebody deleted in Nova are made again by an update that is told so."""

import dataclasses

import pytest
import requests

from magnum_lite.driver_sdk import DONE
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.fake import FailingCloud, FailingHeat, Killed
from magnum_lite_kubernetes import names

SHAPES = {'plain': {}, 'volume': {'docker_volume_size': 5}}


def members(cloud, name):
    return cloud.heat.get(name).outputs['refs_map']


def lose(heat, server):
    """Delete a server behind Heat's back."""
    requests.delete(f'{heat.catalog["compute"]}/servers/{server}', timeout=30).raise_for_status()


def marks(cloud, stack):
    """Ids of the events by which Heat was told of broken resources."""
    return [
        event.id
        for event in cloud.heat._client.events.list(stack, nested_depth=5)
        if event.resource_status_reason == 'it is lost'
    ]


@pytest.fixture(params=SHAPES)
def made(request, driver, real_cloud, make_spec):
    """The spec of a cluster with two workers."""
    spec = example.with_nodes(make_spec(), 2)
    spec = dataclasses.replace(
        spec,
        node_groups=tuple(
            dataclasses.replace(group, **SHAPES[request.param]) for group in spec.node_groups
        ),
    )
    assert finish(lambda: driver.create(real_cloud, spec)) == DONE
    yield spec
    finish(lambda: driver.delete(real_cloud, spec))


def states(cloud, spec):
    return {view.status for view in cloud.heat.list(f'cluster:{spec.uuid}')}


def test_a_lost_worker_is_made_again_and_the_others_stay(driver, real_cloud, made, embedded_heat):
    name = names.worker_stack(made, made.worker_groups[0], 0)
    before = members(real_cloud, name)
    control_plane = members(real_cloud, names.base_stack(made))
    lose(embedded_heat, before['0'])
    spec = dataclasses.replace(made, attempt='second', lost=(before['0'],), focus=example.WORKERS)
    assert finish(lambda: driver.update(real_cloud, spec)) == DONE
    after = members(real_cloud, name)
    assert after.keys() == {'0', '1'}
    assert after['1'] == before['1'] and after['0'] != before['0']
    assert set(after.values()) <= embedded_heat.state()['servers'].keys()
    assert members(real_cloud, names.base_stack(made)) == control_plane
    assert states(real_cloud, made) == {'CREATE_COMPLETE', 'UPDATE_COMPLETE'}


def test_heat_lists_a_stack_once_for_all_that_it_lost(driver, real_cloud, made, embedded_heat):
    name = names.worker_stack(made, made.worker_groups[0], 0)
    before = members(real_cloud, name)
    for server in before.values():
        lose(embedded_heat, server)
    heat = FailingHeat(real_cloud.heat, at=1, after=True, counted=frozenset({'replace'}))
    spec = dataclasses.replace(
        made, attempt='second', lost=tuple(before.values()), focus=example.WORKERS
    )
    with pytest.raises(Killed):
        driver.update(FailingCloud(heat), spec)
    told = marks(real_cloud, name)
    assert len(told) == 2
    assert finish(lambda: driver.update(FailingCloud(heat), spec)) == DONE
    assert [call.method for call in heat.calls].count('replace') == 2, 'one before it was killed'
    assert marks(real_cloud, name) == told, 'what was told is not told again'
    assert not set(before.values()) & set(members(real_cloud, name).values())


def test_a_lost_worker_that_is_named_is_replaced_too(driver, real_cloud, made, embedded_heat):
    name = names.worker_stack(made, made.worker_groups[0], 0)
    before = members(real_cloud, name)
    lose(embedded_heat, before['0'])
    indexes = driver.get_scale_manager(real_cloud, made).indexes(example.WORKERS, [before['0']])
    spec = example.with_nodes(
        dataclasses.replace(made, attempt='second', lost=(before['0'],)), 2, removed=indexes
    )
    assert finish(lambda: driver.update(real_cloud, spec)) == DONE
    after = members(real_cloud, name)
    assert after.keys() == {'1', '2'} and after['1'] == before['1']
    assert set(after.values()) <= embedded_heat.state()['servers'].keys()


def test_a_lost_control_plane_is_made_again_before_the_workers_change(
    driver, real_cloud, made, embedded_heat
):
    lost = members(real_cloud, names.base_stack(made))['0']
    workers = members(real_cloud, names.worker_stack(made, made.worker_groups[0], 0))
    lose(embedded_heat, lost)
    three = example.with_nodes(dataclasses.replace(made, focus=example.WORKERS), 3)
    embedded_heat.fault(kind='no_valid_host', match='*master*', times=1)
    failing = dataclasses.replace(three, attempt='second', lost=(lost,))
    assert 'No valid host' in finish(lambda: driver.update(real_cloud, failing)).text
    embedded_heat.fault(kind='signal_failure', match='*master*', times=1)
    failing = dataclasses.replace(three, attempt='third')
    assert 'control_plane_ready' in finish(lambda: driver.update(real_cloud, failing)).text
    heat = FailingHeat(real_cloud.heat, at=1, after=True, counted=frozenset({'replace'}))
    again = dataclasses.replace(three, attempt='fourth')
    with pytest.raises(Killed):
        driver.update(FailingCloud(heat), again)
    assert finish(lambda: driver.update(real_cloud, again)) == DONE
    after = members(real_cloud, names.base_stack(made))['0']
    assert after != lost and after in embedded_heat.state()['servers']
    assert (
        members(real_cloud, names.worker_stack(made, made.worker_groups[0], 0)).items()
        >= workers.items()
    )
    assert states(real_cloud, made) == {'UPDATE_COMPLETE'}
    base = real_cloud.heat.get(names.base_stack(made))
    assert not [tag for tag in base.tags if tag.startswith('mends')]
    given = real_cloud.heat._client.stacks.environment(base.id)['resource_registry']['resources']
    assert given['control_plane']['restricted_actions'] == 'replace', 'it is kept again'
    later = dataclasses.replace(again, attempt='fifth', focus=None)
    assert finish(lambda: driver.update(real_cloud, later)) == DONE
    assert members(real_cloud, names.base_stack(made))['0'] == after
