"""Plans as people read them: what a spec becomes, parameter by parameter."""

import dataclasses

import pytest

from magnum_lite.driver_sdk import Network, NodeGroupSpec, Rejected, Secret
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.golden import readable


def two_groups(spec):
    more = NodeGroupSpec(
        uuid=example.MORE_WORKERS,
        name='GPU workers',
        role='gpu',
        node_count=3,
        flavor='m1.large',
        image='ubuntu-24.04',
        generation=2,
        removed=(1, 4),
        max_node_count=10,
        docker_volume_size=50,
        node_labels={'example.org/gpu': 'yes'},
        node_taints=({'key': 'gpu', 'value': 'yes', 'effect': 'NoSchedule'},),
    )
    return dataclasses.replace(spec, node_groups=(*spec.node_groups, more))


SCENARIOS = {
    'defaults': lambda make: make(),
    'given_network': lambda make: make(
        network=Network(
            fixed_network='private', fixed_subnet='private-subnet', external_network='public'
        )
    ),
    'no_floating_ip': lambda make: make(
        network=Network(external_network='public', floating_ip_enabled=False)
    ),
    'two_groups': lambda make: two_groups(make()),
    'enrolment': lambda make: make(enrolment_url='https://service.example.org/'),
    'baremetal': lambda make: make(server_type='bm'),
    'hostile': lambda make: example.hostile(make()),
    'everything_set': lambda make: make(
        apiserver_port=443,
        insecure_registry='10.0.0.7:5000',
        http_proxy='http://192.0.2.3:3128',
        no_proxy='example.org',
        ssh_public_key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@example',
        network=Network(external_network='public', driver='calico'),
        timeout_min=90,
        config={
            'kube_tag': 'v1.36.2',
            'availability_zone': 'nova',
            'boot_volume_size': 20,
            'boot_volume_type': 'fast',
            'container_infra_prefix': '10.0.0.7:5000/k8s/',
            'expected_nodes': 1000,
            'manifests_url': 'http://192.0.2.9/calico.tar.gz',
            'manifests_sha256': '0' * 64,
            'master_lb_allowed_cidrs': '192.0.2.0/24,198.51.100.0/24',
        },
    ),
}


@pytest.mark.parametrize('name', SCENARIOS)
def test_the_golden_plan(name, driver, make_spec, golden):
    spec = SCENARIOS[name](make_spec)
    driver.validate(spec)
    golden(name, readable(driver.plan(spec)))


def test_a_group_may_be_elsewhere_than_its_cluster(driver, make_spec):
    base, workers = driver.plan(
        example.with_nodes(
            make_spec(config={'availability_zone': 'a'}), 1, config={'availability_zone': 'b'}
        )
    )
    assert base.parameters['availability_zone'] == 'a'
    assert workers.parameters['availability_zone'] == 'b'


def test_a_large_group_becomes_stacks_of_the_configured_size(driver, make_spec):
    spec = example.with_nodes(make_spec(config={'nodes_per_stack': 300}), 1000)
    driver.validate(spec)
    stacks = driver.plan(spec).stacks[1:]
    assert [s.parameters['node_count'] for s in stacks] == [300, 300, 300, 100]
    assert len({s.parameters['node_name_prefix'] for s in stacks}) == 4
    assert all(len(s.parameters['node_name_prefix']) <= 55 for s in stacks)


def test_a_group_that_an_autoscaler_may_change_is_one_stack(driver, make_spec):
    spec = example.with_nodes(make_spec(), 500, max_node_count=900)
    driver.validate(spec)
    assert len(driver.plan(spec).stacks) == 2


def test_the_size_of_one_group_changes_no_other_stack(driver, make_spec):
    spec = two_groups(make_spec())
    before = driver.plan(spec).stacks
    after = driver.plan(example.with_nodes(spec, 7)).stacks
    assert [a.digest == b.digest for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_a_new_generation_is_a_new_stack_with_other_names(driver, make_spec):
    spec = make_spec()
    old = driver.plan(spec).stacks[1]
    new = driver.plan(example.with_nodes(spec, 1, generation=2)).stacks[1]
    assert old.name != new.name
    assert old.key != new.key
    assert old.parameters['node_name_prefix'] != new.parameters['node_name_prefix']


def test_two_generations_of_a_group_are_beside_each_other(driver, make_spec):
    before = make_spec(config={'nodes_per_stack': 2})
    old = dataclasses.replace(before.worker_groups[0], node_count=3, config=before.config)
    spec = example.with_nodes(
        make_spec(config={'kube_tag': 'v1.36.2'}), 4, generation=2, image='debian-14', beside=(old,)
    )
    driver.validate(spec)
    plan = driver.plan(spec).stacks
    alone = driver.plan(example.with_nodes(spec, 4, beside=())).stacks
    assert plan[1:3] == driver.plan(example.with_nodes(before, 3)).stacks[1:]
    assert (plan[0], *plan[3:]) == alone
    assert [stack.generation for stack in plan] == [None, 1, 1, 2]
    assert {stack.node_group for stack in plan[1:]} == {old.uuid}


@pytest.mark.parametrize(('nodes', 'path'), [(3000, 'node_count'), (200, 'labels.flannel')])
def test_the_nodes_of_both_generations_have_to_find_room(driver, make_spec, nodes, path):
    spec = make_spec(
        config={
            'flannel_network_cidr': '10.128.0.0/16' if nodes == 200 else '16.0.0.0/4',
            'fixed_subnet_cidr': '172.16.0.0/12',
        }
    )
    driver.validate(example.with_nodes(spec, nodes))
    old = dataclasses.replace(spec.worker_groups[0], node_count=nodes)
    with pytest.raises(Rejected, match=path):
        driver.validate(example.with_nodes(spec, nodes, generation=2, beside=(old,)))


def test_host_names_are_labels_whatever_the_user_called_the_cluster(driver, make_spec):
    spec = example.hostile(make_spec())
    for stack in driver.plan(spec):
        name = stack.parameters.get('node_name') or stack.parameters['node_name_prefix'] + '-9999'
        assert len(name) <= 63
        assert all(letter.isascii() and (letter.isalnum() or letter == '-') for letter in name)
        assert name == name.lower().strip('-')


def test_where_nodes_enrol_only_certificates_are_in_the_plan(driver, make_spec):
    plan = driver.plan(make_spec(enrolment_url='https://service.example.org'))
    given = {
        value.ref
        for stack in plan
        for value in stack.parameters.values()
        if isinstance(value, Secret)
    }
    assert [ref for ref in given if not ref.endswith('.cert')] == []
