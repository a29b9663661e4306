"""What each label changes, where somebody notices it; a label without an entry here fails.

Where a label changes nothing its schema says so by ``only_with``: users are told then.
"""

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest

from magnum_lite.driver_sdk import Network
from magnum_lite.driver_sdk.testing import example
from magnum_lite_swarm import config

OPEN = {'service_allowed_cidrs': '192.0.2.0/24'}


@dataclass(frozen=True)
class Change:
    """A label, and what it changes.

    :ivar value: of the label.
    :ivar where: a path into each of ``stacks`` of what ``seen`` gives.
    :ivar shows: what stands there then.
    :ivar beside: other labels that it needs.
    """

    value: Any
    where: tuple[Any, ...]
    shows: Any
    stacks: tuple[str, ...] = ('base', 'workers')
    beside: dict[str, Any] = field(default_factory=dict)


def rule(first, last, source, protocol='tcp'):
    return {
        'protocol': protocol,
        'port_range_min': first,
        'port_range_max': last,
        'remote_ip_prefix': source,
    }


ENGINE = ('env', 'ENGINE')
CHANGES = {
    'availability_zone': Change('b', ('availability_zone',), 'b'),
    # For managers see the test below.
    'boot_volume_size': Change(20, ('boot_volume_size',), 20, ('workers',)),
    'boot_volume_type': Change(
        'fast', ('boot_volume_type',), 'fast', ('workers',), beside={'boot_volume_size': 9}
    ),
    'fixed_subnet_cidr': Change('10.8.0.0/24', ('fixed_subnet_cidr',), '10.8.0.0/24', ('base',)),
    'overlay_address_pool': Change('10.64.0.0/16', ('env', 'OVERLAY_ADDRESS_POOL'), '10.64.0.0/16'),
    'overlay_subnet_size': Change(26, ('env', 'OVERLAY_SUBNET_SIZE'), '26', ('base',)),
    'bridge_address_pool': Change(
        '172.30.0.0/16',
        (*ENGINE, 'default-address-pools'),
        [{'base': '172.30.0.0/16', 'size': 24}],
    ),
    'registry_mirror': Change(
        'https://m.example.org', (*ENGINE, 'registry-mirrors'), ['https://m.example.org']
    ),
    'log_driver': Change('journald', (*ENGINE, 'log-driver'), 'journald'),
    'log_options': Change('max-size=1m', (*ENGINE, 'log-opts'), {'max-size': '1m'}),
    'manager_availability': Change('drain', ('env', 'AVAILABILITY'), 'drain', ('base',)),
    'worker_availability': Change('pause', ('env', 'AVAILABILITY'), 'pause', ('workers',)),
    'master_lb_allowed_cidrs': Change(
        '10.0.0.0/8', ('api_rules',), [rule(2376, 2376, '10.0.0.0/8')], ('base',)
    ),
    'ssh_allowed_cidrs': Change(
        '10.0.0.0/8', ('node_rules',), [rule(22, 22, '10.0.0.0/8')], ('base',)
    ),
    'service_allowed_cidrs': Change(
        '192.0.2.0/24',
        ('node_rules',),
        [rule(30000, 32767, '192.0.2.0/24', protocol) for protocol in ('tcp', 'udp')],
        ('base',),
    ),
    'service_ports': Change(
        '80',
        ('node_rules',),
        [rule(80, 80, '192.0.2.0/24', protocol) for protocol in ('tcp', 'udp')],
        ('base',),
        OPEN,
    ),
    'node_boot_timeout': Change(60, ('boot_timeout_s',), 60),
}
# What only the service does, or the driver's own steps.
ELSEWHERE = {'min_node_count': 1, 'max_node_count': 3, 'drain_timeout': 60}
# What a cluster has: its network, labels.
CLUSTERS = {
    'plain': (None, {}),
    'given network': ('private', {}),
    'volumes': (None, {'boot_volume_size': 30}),
    'open': (None, OPEN),
    'silent': (None, {'log_driver': 'none'}),
}
# Parameters that Heat is given and does not look at, by the conditions of the templates.
UNREAD = {
    'boot_volume_type': lambda found: not found['boot_volume_size'],
    'fixed_subnet_cidr': lambda found: bool(found['fixed_network']),
}


def seen(driver, spec):
    """What a plan says to who reads it, unpacked: parameters, files of nodes, documents."""
    found = {}
    for name, stack in zip(('base', 'workers'), driver.plan(spec).stacks, strict=True):
        lines = dict(line.split('=', 1) for line in shlex.split(stack.parameters['node_env']))
        lines['ENGINE'] = json.loads(lines['ENGINE'])
        found[name] = {**stack.parameters, 'env': lines, 'template': stack.template}
    return found


def look(found, path):
    """What stands at a path; None where it ends early."""
    for step in path:
        found = found.get(step) if found is not None else None
    return found


def test_every_label_has_an_entry():
    assert {**CHANGES, **ELSEWHERE}.keys() == config.PROPERTIES.keys()


@pytest.mark.parametrize('name', config.PROPERTIES)
def test_values_are_those_that_requests_may_have(name):
    value = CHANGES[name].value if name in CHANGES else ELSEWHERE[name]
    jsonschema.validate(value, config.PROPERTIES[name])
    assert value != config.PROPERTIES[name].get('default')


@pytest.mark.parametrize('name', CHANGES)
def test_a_label_changes_what_it_names(name, driver, make_spec):
    change = CHANGES[name]

    def plan_of(**labels):
        spec = make_spec(config={**change.beside, **labels})
        driver.validate(spec)
        return seen(driver, spec)

    with_it, without = plan_of(**{name: change.value}), plan_of()
    for stack in change.stacks:
        assert look(with_it[stack], change.where) == change.shows
        assert look(without[stack], change.where) != change.shows
        if len(change.where) == 1:  # a parameter, which is read
            assert f'get_param: {change.where[0]}' in with_it[stack]['template']


def test_managers_boot_from_volumes_of_the_size_and_type(driver, make_spec):
    def made_of(**labels):
        return driver.plan(make_spec(config=labels)).stacks[0].parameters['made_of'][0]

    from_flavor = made_of()
    assert from_flavor['image'] and from_flavor['disks'] == []
    from_volume = made_of(boot_volume_size=9, boot_volume_type='fast')
    (disk,) = from_volume['disks']
    assert from_volume['image'] == '' and disk['image'] == from_flavor['image']
    assert (disk['volume_size'], disk['volume_type']) == (9, 'fast')


@pytest.mark.parametrize('name', ELSEWHERE)
def test_what_others_read_changes_no_plan(name, driver, make_spec):
    assert seen(driver, make_spec(config={name: ELSEWHERE[name]})) == seen(driver, make_spec())


def read(stack):
    """What of the parameters of a stack makes a difference."""
    return {
        name: value
        for name, value in stack.parameters.items()
        if name not in UNREAD or not UNREAD[name](stack.parameters)
    }


def is_met(only_with, around):
    """Whether conditions hold, as ``drivers/README.rst`` says it (D1)."""
    return all(
        bool(around[name]) == wanted if isinstance(wanted, bool) else around[name] in wanted
        for name, wanted in only_with.items()
    )


@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        (name, kind)
        for name in CHANGES
        for kind, (_, given) in CLUSTERS.items()
        if given.get(name) != CHANGES[name].value
    ],
)
def test_a_label_says_where_it_changes_nothing(name, kind, driver, make_spec):
    fixed_network, given = CLUSTERS[kind]

    def plan_of(**labels):
        spec = make_spec(
            config={**given, **labels},
            network=Network(external_network='public', fixed_network=fixed_network),
        )
        return [(stack.name, read(stack)) for stack in driver.plan(spec)], spec

    (changed, spec), (without, _) = plan_of(**{name: CHANGES[name].value}), plan_of()
    driver.validate(spec)
    around = {**spec.config, 'fixed_network': fixed_network}
    assert (changed != without) == is_met(config.PROPERTIES[name].get('only_with', {}), around)


@pytest.mark.parametrize(
    ('effects', 'word'),
    [
        ((), 'active'),
        (('PreferNoSchedule',), 'active'),
        (('NoSchedule',), 'pause'),
        (('NoSchedule', 'NoExecute'), 'drain'),
    ],
)
def test_a_taint_keeps_tasks_away(effects, word, driver, make_spec):
    taints = tuple({'key': 'k', 'effect': effect} for effect in effects)
    spec = example.with_nodes(make_spec(), 1, node_taints=taints)
    assert seen(driver, spec)['workers']['env']['AVAILABILITY'] == word
