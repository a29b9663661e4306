"""Clusters on the real Heat with the simulated cloud."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import DONE, Failed, Rejected
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite_swarm import names

WORKERS = example.WORKERS
# What a cluster leaves behind if its deletion forgets something.
TABLES = (
    'servers',
    'ports',
    'networks',
    'subnets',
    'routers',
    'floatingips',
    'security-groups',
    'volumes',
)


def rows(heat):
    state = heat.state()
    return {table: sorted(state.get(table, {})) for table in TABLES}


@pytest.fixture
def before(embedded_heat):
    return rows(embedded_heat)


@pytest.fixture
def cluster(before, driver, real_cloud, make_spec):
    """A spec whose cluster is deleted at the end."""
    spec = make_spec()
    yield spec
    finish(lambda: driver.delete(real_cloud, spec))


def members(cloud, spec):
    view = cloud.heat.get(names.worker_stack(spec, spec.worker_groups[0]))
    return {int(index): server for index, server in view.outputs['refs_map'].items()}


def with_managers(spec, count, **changes):
    managers = dataclasses.replace(spec.control_plane, node_count=count, **changes)
    return dataclasses.replace(spec, node_groups=(managers, *spec.worker_groups))


def test_a_given_server_goes_and_the_others_keep_their_ids(driver, real_cloud, cluster):
    assert finish(lambda: driver.create(real_cloud, cluster)) == DONE
    first = members(real_cloud, cluster)
    three = example.with_nodes(cluster, 3)
    assert finish(lambda: driver.update(real_cloud, three)) == DONE
    all_three = members(real_cloud, cluster)
    assert all_three.items() >= first.items() and len(all_three) == 3

    manager = driver.get_scale_manager(real_cloud, three)
    victim = manager.indexes(WORKERS, [all_three[1]])
    assert victim == (1,)
    with pytest.raises(Rejected, match='7, x is not in node group default-worker'):
        manager.indexes(WORKERS, ['7', all_three[0], 'x'])
    with pytest.raises(Rejected, match='no worker group'):
        manager.indexes(example.CONTROL_PLANE, ['0'])

    two = example.with_nodes(cluster, 2, removed=victim)
    assert finish(lambda: driver.update(real_cloud, two)) == DONE
    assert members(real_cloud, cluster) == {0: all_three[0], 2: all_three[2]}


def test_three_managers_are_waited_for_and_stay_when_workers_come(
    driver, real_cloud, cluster, embedded_heat
):
    balanced = dataclasses.replace(cluster.network, master_lb_enabled=True)
    spec = dataclasses.replace(example.with_nodes(cluster, 0), network=balanced)
    spec = with_managers(spec, 3, docker_volume_size=5)
    assert finish(lambda: driver.create(real_cloud, spec)) == DONE
    status = driver.get_status(real_cloud, spec)
    assert len(status.group_members[example.CONTROL_PLANE]) == 3
    assert len(status.group_addresses[example.CONTROL_PLANE]) == 3
    assert status.api_address.startswith('tcp://') and status.api_address.endswith(':2376')
    assert len(embedded_heat.state()['volumes']) == 3
    (balancer,) = embedded_heat.state()['loadbalancers'].values()
    addresses = embedded_heat.state()['floatingips'].values()
    assert [row['port_id'] for row in addresses] == [balancer['vip_port_id']]
    assert len(embedded_heat.state()['members']) == 3
    five = with_managers(example.with_nodes(spec, 1), 5, docker_volume_size=5)
    assert finish(lambda: driver.update(real_cloud, five)) == DONE
    after = driver.get_status(real_cloud, five)
    assert (
        after.group_members[example.CONTROL_PLANE].items()
        >= status.group_members[example.CONTROL_PLANE].items()
    )
    assert after.api_address == status.api_address


@pytest.mark.parametrize(
    ('match', 'resource'), [('*master*', 'managers_ready'), ('*worker*', 'workers_ready')]
)
def test_the_failure_of_a_node_is_told_and_a_new_attempt_succeeds(
    match, resource, driver, real_cloud, cluster, embedded_heat
):
    embedded_heat.fault(kind='signal_failure', match=match, times=1)
    progress = finish(lambda: driver.create(real_cloud, cluster))
    assert isinstance(progress, Failed)
    assert f'{resource} (OS::Heat::WaitCondition)' in progress.text
    again = dataclasses.replace(cluster, attempt='second')
    assert finish(lambda: driver.create(real_cloud, again)) == DONE


def test_an_update_replaces_no_manager(driver, real_cloud, cluster):
    spec = example.with_nodes(cluster, 0)
    assert finish(lambda: driver.create(real_cloud, spec)) == DONE
    before = driver.get_status(real_cloud, spec).group_members
    # As it is where an upgrade failed before its turn came.
    changed = dataclasses.replace(
        with_managers(spec, 1, image='ubuntu-24.04'),
        config={**spec.config, 'log_driver': 'journald', 'boot_volume_size': 5},
        attempt='second',
    )
    assert finish(lambda: driver.update(real_cloud, changed)) == DONE
    assert driver.get_status(real_cloud, spec).group_members == before


SHAPES = {
    'physical machines': {'server_type': 'bm'},
    'root volumes': {'config': {'boot_volume_size': 5}},
}


@pytest.mark.parametrize('shape', SHAPES)
def test_other_shapes_are_built_and_leave_nothing(
    shape, driver, real_cloud, make_spec, before, embedded_heat
):
    spec = example.with_nodes(make_spec(**SHAPES[shape]), 2)
    driver.validate(spec)
    try:
        assert finish(lambda: driver.create(real_cloud, spec)) == DONE
        assert len(driver.get_status(real_cloud, spec).group_addresses[WORKERS]) == 2
    finally:
        assert finish(lambda: driver.delete(real_cloud, spec)) == DONE
    assert rows(embedded_heat) == before
