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

CLOUD = types.SimpleNamespace(heat=None)


class Bare(HeatDriver):
    """A driver of one stack without capabilities."""

    name, version, coe = 'bare', '1', 'bare'
    server_types, distros = frozenset({'vm'}), frozenset({'debian'})
    capabilities = frozenset()
    config_schema = {'type': 'object', 'additionalProperties': False, 'properties': {}}

    def get_default_config(self):
        return {}

    def validate(self, spec, /):
        return None

    def plan(self, spec, /):
        return Plan((Stack(key='base', name='b', template='t', parameters={}),))


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
