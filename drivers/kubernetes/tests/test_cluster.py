"""Clusters on the real Heat with the simulated cloud."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import DONE, Failed, Rejected
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite_kubernetes import names

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
    view = cloud.heat.get(names.worker_stack(spec, spec.worker_groups[0], 0))
    return {int(index): server for index, server in view.outputs['refs_map'].items()}


def test_a_given_server_goes_and_the_others_keep_their_ids(driver, real_cloud, cluster):
    assert finish(lambda: driver.create(real_cloud, cluster)) == DONE
    first = members(real_cloud, cluster)
    three = example.with_nodes(cluster, 3)
    assert finish(lambda: driver.update(real_cloud, three)) == DONE
    all_three = members(real_cloud, cluster)
    assert all_three.items() >= first.items()
    assert len(all_three) == 3

    manager = driver.get_scale_manager(real_cloud, three)
    victim = manager.indexes(WORKERS, [all_three[1]])
    assert victim == (1,)
    assert manager.indexes(WORKERS, ['2', all_three[0]]) == (0, 2)
    with pytest.raises(Rejected, match='7, x is not in node group default-worker') as refusal:
        manager.indexes(WORKERS, ['7', all_three[0], 'x'])
    assert refusal.value.nodes == ('7', 'x')

    two = example.with_nodes(cluster, 2, removed=victim)
    assert finish(lambda: driver.update(real_cloud, two)) == DONE
    assert members(real_cloud, cluster) == {0: all_three[0], 2: all_three[2]}


def test_a_replaced_node_does_not_come_back_and_an_emptied_group_grows_again(
    driver, real_cloud, cluster
):
    two = example.with_nodes(cluster, 2)
    finish(lambda: driver.create(real_cloud, two))
    old = members(real_cloud, cluster)
    finish(lambda: driver.update(real_cloud, example.with_nodes(cluster, 2, removed=(0,))))
    new = members(real_cloud, cluster)
    assert len(new) == 2
    assert 0 not in new
    assert new[1] == old[1]
    for count in (0, 1):
        spec = example.with_nodes(cluster, count, removed=(0,))
        assert finish(lambda spec=spec: driver.update(real_cloud, spec)) == DONE
        assert len(members(real_cloud, cluster)) == count


@pytest.mark.parametrize(
    ('match', 'resource'), [('*master*', 'control_plane_ready'), ('*worker*', 'workers_ready')]
)
def test_the_failure_of_a_node_is_told_and_a_new_attempt_succeeds(
    match, resource, driver, real_cloud, cluster, embedded_heat
):
    embedded_heat.fault(kind='signal_failure', match=match, times=1)
    progress = finish(lambda: driver.create(real_cloud, cluster))
    assert isinstance(progress, Failed)
    assert progress.code == 'stack-failed'
    assert f'{resource} (OS::Heat::WaitCondition)' in progress.text
    assert 'simulated failure' in progress.text
    assert driver.get_status(real_cloud, cluster).state == 'FAILED'
    again = dataclasses.replace(cluster, attempt='second')
    assert finish(lambda: driver.create(real_cloud, again)) == DONE


def test_nodes_begin_to_enrol_and_nothing_waits_for_those_that_are_up(
    driver, real_cloud, cluster, embedded_heat
):
    assert finish(lambda: driver.create(real_cloud, cluster)) == DONE
    before = embedded_heat.state()['servers'].keys()
    later = dataclasses.replace(cluster, enrolment_url='http://127.0.0.1:9', attempt='later')
    assert finish(lambda: driver.update(real_cloud, later)) == DONE
    assert embedded_heat.state()['servers'].keys() == before
    for stack in driver.plan(later):
        shown = real_cloud.heat.get(stack.name).parameters
        assert shown['signal_transport'] == 'HEAT_SIGNAL'
        assert stack.parameters['signal_transport'] == 'TOKEN_SIGNAL'


def test_a_resize_without_room_fails_and_is_repaired_by_a_new_attempt(
    driver, real_cloud, cluster, embedded_heat
):
    finish(lambda: driver.create(real_cloud, cluster))
    old = members(real_cloud, cluster)
    embedded_heat.fault(kind='no_valid_host', match='*worker*', times=1)
    three = example.with_nodes(dataclasses.replace(cluster, attempt='resize'), 3)
    progress = finish(lambda: driver.update(real_cloud, three))
    assert isinstance(progress, Failed)
    assert 'No valid host was found' in progress.text
    again = dataclasses.replace(three, attempt='resize again')
    assert finish(lambda: driver.update(real_cloud, again)) == DONE
    assert members(real_cloud, cluster).items() >= old.items()
    assert len(members(real_cloud, cluster)) == 3


@pytest.mark.parametrize('volume', [None, 5], ids=['plain', 'volume'])
def test_a_control_plane_is_never_replaced(volume, driver, real_cloud, make_spec):
    def with_image(image, attempt):
        master = dataclasses.replace(spec.control_plane, image=image, docker_volume_size=volume)
        return dataclasses.replace(spec, attempt=attempt, node_groups=(master, *spec.worker_groups))

    def server():
        return real_cloud.heat.get(names.base_stack(spec)).outputs['refs_map']['0']

    spec = example.with_nodes(make_spec(), 0)
    made, changed = with_image('debian-13', 'first'), with_image('ubuntu-24.04', 'second')
    try:
        assert finish(lambda: driver.create(real_cloud, made)) == DONE
        before = server()
        progress = finish(lambda: driver.update(real_cloud, changed))
        assert isinstance(progress, Failed)
        assert 'replace is restricted' in progress.text
        again = dataclasses.replace(made, attempt='third')
        assert finish(lambda: driver.update(real_cloud, again)) == DONE
        assert server() == before
    finally:
        finish(lambda: driver.delete(real_cloud, spec))


def test_delete_leaves_nothing_in_the_cloud(driver, real_cloud, make_spec, embedded_heat, before):
    spec = make_spec()
    groups = tuple(dataclasses.replace(g, docker_volume_size=5) for g in spec.node_groups)
    spec = dataclasses.replace(spec, node_groups=groups)
    finish(lambda: driver.create(real_cloud, spec))
    during = rows(embedded_heat)
    assert len(during['volumes']) == len(before['volumes']) + 2
    assert finish(lambda: driver.delete(real_cloud, spec)) == DONE
    assert rows(embedded_heat) == before


def test_a_deletion_that_failed_is_told_and_tried_again(
    driver, real_cloud, make_spec, embedded_heat, before
):
    spec = example.with_nodes(make_spec(), 0)
    finish(lambda: driver.create(real_cloud, spec))
    embedded_heat.fault(
        kind='http',
        match='DELETE /network/v2.0/security-groups/*',
        status=409,
        message='still in use',
        times=1,
    )
    seen = []

    def step():
        seen.append(driver.delete(real_cloud, spec))
        return seen[-1]

    assert finish(step) == DONE
    troubles = {progress.trouble for progress in seen if progress != DONE and progress.trouble}
    assert any('still in use' in trouble for trouble in troubles)
    assert rows(embedded_heat) == before


def test_the_stack_that_clients_look_at_holds_the_servers_themselves(
    driver, real_cloud, cluster, embedded_heat
):
    finish(lambda: driver.create(real_cloud, cluster))
    status = driver.get_status(real_cloud, cluster)
    stack = real_cloud.heat.get(status.group_backend_ids[WORKERS])
    servers = embedded_heat.state()['servers']
    assert set(stack.outputs['refs_map'].values()) <= set(servers)


def test_a_group_in_several_stacks_names_no_members(driver, real_cloud, make_spec):
    spec = example.with_nodes(make_spec(config={'nodes_per_stack': 1}), 2)
    manager = driver.get_scale_manager(real_cloud, spec)
    with pytest.raises(Rejected, match='set its max_node_count'):
        manager.indexes(WORKERS, ['0'])
    with pytest.raises(Rejected, match='no worker group'):
        manager.indexes(example.CONTROL_PLANE, ['0'])


SHAPES = {
    'physical machines': {'server_type': 'bm'},
    'root volumes': {'config': {'boot_volume_size': 5}},
    'several stacks': {'config': {'nodes_per_stack': 1}},
}


@pytest.mark.parametrize('shape', SHAPES)
def test_other_shapes_are_built_too(shape, driver, real_cloud, make_spec):
    spec = example.with_nodes(make_spec(**SHAPES[shape]), 2)
    driver.validate(spec)
    try:
        assert finish(lambda: driver.create(real_cloud, spec)) == DONE
        assert len(driver.get_status(real_cloud, spec).group_addresses[WORKERS]) == 2
    finally:
        finish(lambda: driver.delete(real_cloud, spec))
