"""Plans as people read them: what a spec becomes, parameter by parameter."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import Network, NodeGroupSpec, Secret
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.golden import readable
from magnum_lite_swarm.driver import SwarmMode


def with_managers(spec, count, **changes):
    """A spec with so many managers."""
    managers = dataclasses.replace(spec.control_plane, node_count=count, **changes)
    return dataclasses.replace(spec, node_groups=(managers, *spec.worker_groups))


def two_groups(spec):
    more = NodeGroupSpec(
        uuid=example.MORE_WORKERS,
        name='Batch workers',
        role='batch',
        node_count=3,
        flavor='m1.large',
        image='ubuntu-24.04',
        generation=2,
        removed=(1, 4),
        max_node_count=10,
        docker_volume_size=50,
        node_labels={'example.org/disk': 'ssd'},
        node_taints=({'key': 'batch', 'value': 'yes', 'effect': 'NoSchedule'},),
        config={'availability_zone': 'b', 'log_driver': 'journald'},
    )
    return dataclasses.replace(spec, node_groups=(*spec.node_groups, more))


SCENARIOS = {
    'defaults': lambda make: make(),
    'three_managers': lambda make: with_managers(
        make(network=Network(external_network='public', master_lb_enabled=True)),
        3,
        docker_volume_size=20,
    ),
    'given_network': lambda make: make(
        network=Network(
            fixed_network='private', fixed_subnet='private-subnet', floating_ip_enabled=False
        )
    ),
    'two_groups': lambda make: two_groups(make()),
    'enrolment': lambda make: make(enrolment_url='https://service.example.org/'),
    'baremetal': lambda make: make(server_type='bm'),
    'everything_set': lambda make: make(
        apiserver_port=12376,
        insecure_registry='10.0.0.7:5000',
        http_proxy='http://192.0.2.3:3128',
        no_proxy='example.org',
        ssh_public_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@example',
        docker_storage_driver='overlay',
        volume_driver='cvmfs',
        timeout_min=90,
        config={
            'boot_volume_size': 20,
            'boot_volume_type': 'fast',
            'log_driver': 'gelf',
            'log_options': 'gelf-address=udp://192.0.2.9:12201,tag=demo',
            'manager_availability': 'drain',
            'master_lb_allowed_cidrs': '192.0.2.0/24,198.51.100.0/24',
            'registry_mirror': 'https://mirror.example.org',
            'service_allowed_cidrs': '192.0.2.0/24',
            'service_ports': '80,443,30000-32767',
            'ssh_allowed_cidrs': '192.0.2.0/24',
        },
    ),
}


@pytest.mark.parametrize('name', SCENARIOS)
def test_the_golden_plan(name, driver, make_spec, golden):
    spec = SCENARIOS[name](make_spec)
    driver.validate(spec)
    golden(name, readable(driver.plan(spec)))


def test_both_names_of_the_coe_mean_the_same(driver, make_spec):
    spec = make_spec()
    assert (driver.coe, SwarmMode.coe) == ('swarm', 'swarm-mode')
    assert SwarmMode().plan(spec) == driver.plan(spec)


def test_the_size_of_one_group_changes_no_other_stack(driver, make_spec):
    spec = two_groups(make_spec())
    before = driver.plan(spec).stacks
    after = driver.plan(example.with_nodes(spec, 7)).stacks
    assert [a.digest == b.digest for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_two_generations_of_a_group_are_beside_each_other(driver, make_spec):
    before = make_spec()
    old = dataclasses.replace(before.worker_groups[0], config=before.config)
    spec = example.with_nodes(before, 2, generation=2, image='debian-14', beside=(old,))
    base, first, second = driver.plan(spec).stacks
    assert (base, first) == driver.plan(before).stacks
    assert first.name != second.name
    assert first.parameters['node_name_prefix'] != second.parameters['node_name_prefix']


def test_no_secret_of_a_manager_is_in_the_stack_of_workers(driver, make_spec):
    _, workers = driver.plan(make_spec()).stacks
    given = {value.ref for value in workers.parameters.values() if isinstance(value, Secret)}
    assert given == {'secret/ca.docker.trusted', 'secret/bootstrap'}
    assert driver.join_certificate['authority'] != driver.authorities[0]


def test_where_nodes_enrol_only_certificates_are_in_the_plan(driver, make_spec):
    plan = driver.plan(make_spec(enrolment_url='https://service.example.org'))
    given = {
        value.ref
        for stack in plan
        for value in stack.parameters.values()
        if isinstance(value, Secret)
    }
    assert given and all(ref.endswith(('.cert', '.cross', '.trusted')) for ref in given)
