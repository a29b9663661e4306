"""What the SDK promises to drivers and to the conductor, without any cloud."""

import dataclasses
import types

import pytest

from magnum_lite.driver_sdk import (
    APPLICATION_CREDENTIAL,
    Done,
    Driver,
    FailedError,
    HeatDriver,
    NotSupported,
    Output,
    Plan,
    Rejected,
    Secret,
    Stack,
    StackView,
)
from magnum_lite.driver_sdk.testing import example
from tests.unit.bare import Bare

CLOUD = types.SimpleNamespace(heat=None)


@pytest.mark.parametrize(
    'method', [Driver.upgrade, Driver.rotate_ca, Driver.get_scale_manager, Driver.get_monitor]
)
def test_an_undeclared_capability_says_what_the_driver_cannot(method):
    driver = Bare()
    with pytest.raises(NotSupported, match='driver bare cannot'):
        method(driver, CLOUD, example.spec(driver))


def test_a_driver_is_abstract_until_it_says_its_plan():
    with pytest.raises(TypeError, match='plan'):
        HeatDriver()


def test_errors_keep_what_is_for_users_apart():
    failed = FailedError('quota is used up', 'limit of cores: 20')
    assert (str(failed), failed.operator) == ('quota is used up', 'limit of cores: 20')
    rejected = Rejected('labels.kube_tag', 'is no version')
    assert str(rejected) == 'labels.kube_tag: is no version'


def test_a_stack_resolves_its_parameters():
    stack = Stack(
        key='w',
        name='w',
        template='t',
        parameters={'a': 1, 'b': Secret('ref', 'value'), 'c': Output('base', 'network')},
    )
    assert stack.requires == {'base'}
    assert stack.resolve({'base': {'network': 'n'}}) == {'a': 1, 'b': 'value', 'c': 'n'}
    assert stack.document()['parameters'] == {
        'a': 1,
        'b': {'secret': 'ref'},
        'c': {'output': ['base', 'network']},
    }


def test_the_plan_of_a_dry_run_cannot_be_applied():
    stack = Stack(key='w', name='w', template='t', parameters={'b': Secret('ref')})
    with pytest.raises(ValueError, match='parameter b: the plan of a dry run'):
        stack.resolve({})


def test_a_secret_is_not_seen_and_counts_by_its_reference():
    assert 'hunter2' not in repr(Secret('ref', 'hunter2'))
    assert Secret('ref', 'hunter2') == Secret('ref')


def test_a_view_knows_whether_heat_is_at_work():
    assert StackView('i', 'n', 'UPDATE_IN_PROGRESS').in_progress
    assert StackView('i', 'n', 'DELETE_FAILED').failed
    assert not StackView('i', 'n', 'CREATE_COMPLETE').failed


def test_a_status_is_as_bad_as_the_worst_stack():
    driver = Bare()
    spec = example.spec(driver)
    for status, state in (
        ('CREATE_COMPLETE', 'COMPLETE'),
        ('UPDATE_IN_PROGRESS', 'IN_PROGRESS'),
        ('UPDATE_FAILED', 'FAILED'),
    ):
        view = StackView('i', 'b', status, reason='why')
        found = driver.status_of(spec, {'base': view})
        assert found.state == state
        assert found.reason == ('b: why' if state == 'FAILED' else '')
    assert driver.status_of(spec, {}).state == 'ABSENT'


@pytest.mark.parametrize(
    'shown, known',
    [
        ('https://192.0.2.7:6443', True),
        ('https://[fd00:1::d]:6443', True),
        ('tcp://a.b', True),
        ('a.b:2376', True),
        ('https://:6443', False),
        ('https://fd00:1::d:6443', False),
        ('https://[fd00::5:6443', False),
        ('https://', False),
        ('', False),
        (None, False),
    ],
)
def test_an_address_without_its_host_is_not_known_yet(shown, known):
    driver = Bare()
    view = StackView('i', 'b', 'CREATE_IN_PROGRESS', outputs={'api_address': shown})
    found = driver.status_of(example.spec(driver), {'base': view})
    assert found.api_address == (shown if known else None)


class Caller(Bare):
    """Its nodes call the cloud."""

    capabilities = frozenset({'application_credential'})


def test_an_example_has_a_credential_for_drivers_that_ask_for_one():
    without, found = example.spec(Bare()), example.spec(Caller())
    assert (without.secrets, without.auth_url) == ({}, None)
    assert found.secrets.keys() == set(APPLICATION_CREDENTIAL) and found.auth_url
    values = {secret.value for secret in found.secrets.values()}
    assert len(values) == 2 and all(values)


class Huge(Bare):
    """Renders whatever number of nodes it is given, and cannot be given many."""

    def plan(self, spec, /):
        nodes = sum(group.node_count for group in spec.node_groups)
        assert nodes < 10, f'a plan of {nodes} nodes'
        return super().plan(spec)


class Standing:
    """A Heat with some stacks, which notes what is deleted."""

    def __init__(self, *names):
        self.views = [StackView(name, name, 'CREATE_COMPLETE') for name in names]

    def list(self, tag):
        return list(self.views)

    def delete(self, stack):
        self.views = [view for view in self.views if view.id != stack]


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_a_deletion_needs_no_plan_of_the_nodes(role):
    driver, heat = Huge(), Standing('b', 'workers')
    spec = example.spec(driver)
    spec = dataclasses.replace(
        spec,
        node_groups=tuple(
            dataclasses.replace(group, node_count=2**31 - 1) if group.role == role else group
            for group in spec.node_groups
        ),
    )
    cloud = types.SimpleNamespace(heat=heat)
    left = []
    while not isinstance(driver.delete(cloud, spec), Done):
        left.append([view.name for view in heat.views])
    assert left == [['b'], []]


@pytest.mark.parametrize(
    ('refs_map', 'members'),
    [({'0': 'server', '2': 'other', '3': None}, {'0': 'server', '2': 'other'}), ({}, {})],
)
def test_the_members_of_a_group_that_is_one_stack_are_known(refs_map, members):
    class Grouped(Bare):
        def plan(self, spec, /):
            return Plan(
                (
                    *super().plan(spec).stacks,
                    *(
                        Stack(key=key, name=key, template='t', parameters={}, node_group=group)
                        for key, group in (
                            ('one', 'g1'),
                            ('two', 'g2'),
                            ('three', 'g2'),
                            ('four', 'g3'),
                        )
                    ),
                )
            )

    views = {
        key: StackView(key, key, 'CREATE_COMPLETE', outputs={'refs_map': refs_map})
        for key in ('base', 'one', 'two', 'three')
    }
    views['four'] = StackView('four', 'four', 'CREATE_COMPLETE')
    status = Grouped().status_of(example.spec(Grouped()), views)
    assert status.group_members == {'g1': members}
