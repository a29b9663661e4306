"""The contract kit finds what it is for: drivers that break a rule fail the test of that rule."""

import dataclasses
import importlib
import re
import sys
import textwrap

import pytest

from magnum_lite.driver_sdk import HeatDriver, Plan, Secret, Stack
from magnum_lite.driver_sdk.testing import example, golden
from magnum_lite.driver_sdk.testing.cloud_rules import user_data_problem
from magnum_lite.driver_sdk.testing.contract import DriverContract
from magnum_lite.driver_sdk.testing.fake import FailingHeat, Killed
from magnum_lite.driver_sdk.testing.script_rules import cloud_config_problems

TEMPLATE = """\
heat_template_version: wallaby
parameters:
  name: {type: string}
  token: {type: string, hidden: true}
  size: {type: number, default: 1}
resources: {}
outputs:
  api_address: {value: x}
  control_plane_addresses: {value: []}
  node_addresses: {value: []}
"""


class Minimal(HeatDriver):
    """Keeps every rule that needs no cloud."""

    name, version, coe = 'minimal', '1', 'minimal'
    server_types, distros = frozenset({'vm'}), frozenset({'debian'})
    capabilities = frozenset({'update'})
    tokens = {'join': 'hex32'}
    config_schema = {
        'type': 'object',
        'additionalProperties': False,
        'properties': {'size': {'type': 'integer', 'maximum': 9, 'description': 'How large.'}},
    }
    template = TEMPLATE
    extra = {}

    def get_default_config(self):
        return {'size': 1}

    def validate(self, spec, /):
        return None

    def plan(self, spec, /):
        token = '' if spec.enrolment_url else spec.secrets['join']
        return Plan(
            (
                Stack(
                    key='base',
                    name=f'minimal-{spec.uuid}',
                    template=self.template,
                    parameters={'name': spec.name, 'token': token, **self.extra},
                    node_group=spec.control_plane.uuid,
                ),
            )
        )


def broken(**changes):
    """A driver that differs from ``Minimal`` in the named attributes."""
    return type('Broken', (Minimal,), changes)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on disk, for the rules about files: ``package(path, text)`` adds a file."""
    where = tmp_path / 'package_of_a_driver'
    where.mkdir()
    (where / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    importlib.import_module('package_of_a_driver')

    def add(path, text):
        (where / path).write_text(text)

    yield add
    del sys.modules['package_of_a_driver']


def rules(driver):
    """The contract's tests for a driver, in its package of its own."""
    driver.__module__ = 'package_of_a_driver'
    kit = type('TestDriver', (DriverContract,), {'driver': driver})()
    return kit, kit.scenarios()


def fails(test, *arguments, match=None):
    with pytest.raises(AssertionError, match=match):
        test(*arguments)


@pytest.mark.usefixtures('package')
def test_a_driver_that_keeps_the_rules_passes():
    kit, specs = rules(broken())
    kit.test_d1_the_schema_is_closed_and_described()
    kit.test_d1_the_default_configuration_meets_the_schema()
    kit.test_d1_a_default_is_a_new_mapping_each_time()
    kit.test_d2_validate_and_dry_runs_are_pure(specs)
    kit.test_d2_an_attempt_is_no_part_of_a_plan(specs)
    kit.test_d2_a_dry_run_needs_no_secret(specs)
    kit.test_d3_a_plan_is_json_of_moderate_size()
    kit.test_d3_stacks_come_after_those_they_require()
    kit.test_d4_parameters_are_exactly_those_of_the_template()
    kit.test_d5_every_file_of_the_package_is_used()
    kit.test_d6_the_outputs_that_the_service_reads_exist()
    kit.test_d13_secrets_stand_in_hidden_parameters_only()
    kit.test_d13_no_plan_holds_the_value_of_a_secret(specs)
    kit.test_d14_every_status_of_heat_has_a_meaning()
    kit.test_d17_every_integer_of_the_configuration_has_a_maximum()
    kit.test_d17_no_number_makes_much_work_or_memory()
    kit.test_d18_what_nodes_can_fetch_is_in_no_plan(specs)


@pytest.mark.usefixtures('package')
def test_d1_finds_an_open_or_silent_schema():
    opened = {**Minimal.config_schema, 'additionalProperties': True}
    fails(rules(broken(config_schema=opened))[0].test_d1_the_schema_is_closed_and_described)
    silent = {**Minimal.config_schema, 'properties': {'size': {'type': 'integer'}}}
    fails(
        rules(broken(config_schema=silent))[0].test_d1_the_schema_is_closed_and_described,
        match='size',
    )


@pytest.mark.usefixtures('package')
def test_d2_finds_what_is_not_pure(tmp_path):
    def writes(self, spec, /):
        (tmp_path / 'trace').write_text('x')

    kit, specs = rules(broken(validate=writes))
    fails(kit.test_d2_validate_and_dry_runs_are_pure, specs, match='not pure: open')

    numbers = iter(range(1000))
    counts = broken(
        plan=lambda self, spec, /: Plan(
            (dataclasses.replace(Minimal.plan(self, spec).stacks[0], name=f'n{next(numbers)}'),)
        )
    )
    kit, specs = rules(counts)
    fails(kit.test_d2_validate_and_dry_runs_are_pure, specs)


@pytest.mark.usefixtures('package')
def test_d4_finds_a_parameter_too_many_and_one_too_few():
    for extra in ({'unknown': 1}, {}):
        driver = broken(
            extra=extra,
            template=TEMPLATE
            if extra
            else TEMPLATE.replace('  size: {type: number, default: 1}', '  size: {type: number}'),
        )
        fails(rules(driver)[0].test_d4_parameters_are_exactly_those_of_the_template)


def test_d5_finds_a_file_that_nothing_uses(package):
    package('forgotten.yaml', 'x: 1\n')
    fails(rules(broken())[0].test_d5_every_file_of_the_package_is_used, match='forgotten.yaml')


@pytest.mark.usefixtures('package')
def test_d5_finds_a_file_that_does_not_come_along():
    driver = broken(template=TEMPLATE.replace('{value: x}', '{value: {get_file: a.sh}}'))
    fails(rules(driver)[0].test_d5_every_file_that_is_included_comes_along)


@pytest.mark.usefixtures('package')
def test_d6_finds_a_missing_output():
    for output in ('node_addresses', 'control_plane_addresses'):
        driver = broken(template=TEMPLATE.replace(f'{output}:', 'other:'))
        fails(rules(driver)[0].test_d6_the_outputs_that_the_service_reads_exist, match=output)


@pytest.mark.usefixtures('package')
def test_d16_finds_an_upgrade_from_nowhere():
    driver = broken(capabilities=frozenset({'update', 'upgrade'}))
    fails(rules(driver)[0].test_d16_upgrade_says_from_which_versions, match='upgrades_from')


@pytest.mark.usefixtures('package')
def test_d13_finds_a_secret_that_is_shown():
    driver = broken(template=TEMPLATE.replace(', hidden: true', ''))
    fails(rules(driver)[0].test_d13_secrets_stand_in_hidden_parameters_only, match='token')
    leaks = broken(
        plan=lambda self, spec, /: Plan(
            (
                dataclasses.replace(
                    Minimal.plan(self, spec).stacks[0],
                    parameters={'name': spec.secrets['join'].value, 'token': Secret('t')},
                ),
            )
        )
    )
    kit, specs = rules(leaks)
    fails(kit.test_d13_no_plan_holds_the_value_of_a_secret, specs, match='join')


@pytest.mark.usefixtures('package')
def test_d17_finds_an_integer_without_a_maximum():
    endless = {
        **Minimal.config_schema,
        'properties': {'size': {'type': ['integer', 'null'], 'description': 'How large.'}},
    }
    fails(
        rules(broken(config_schema=endless))[
            0
        ].test_d17_every_integer_of_the_configuration_has_a_maximum,
        match='size',
    )


def by_node(self, spec, /):
    """A part of the plan for each node."""
    stack = Minimal.plan(self, spec).stacks[0]
    nodes = range(spec.worker_groups[0].node_count)
    return Plan((dataclasses.replace(stack, parameters={'nodes': [str(n) for n in nodes]}),))


def by_size(self, spec, /):
    """A large text for a large size, at once."""
    stack = Minimal.plan(self, spec).stacks[0]
    return Plan((dataclasses.replace(stack, parameters={'x': 'x' * spec.config['size'] * 10**7}),))


@pytest.mark.usefixtures('package')
@pytest.mark.parametrize(
    ('plan', 'limits', 'found'),
    [
        (by_node, {}, '2147483646 nodes: more than 1 s of work'),
        (by_node, {'max_nodes': 5000}, '2147483647 nodes: more than 1 s of work'),
        (by_size, {}, 'size 9, 1 nodes: .* bytes of memory'),
    ],
)
def test_d17_finds_a_plan_that_grows_without_end(plan, limits, found):
    kit = rules(broken(plan=plan, limits=limits))[0]
    fails(kit.test_d17_no_number_makes_much_work_or_memory, match=found)


@pytest.mark.usefixtures('package')
def test_d18_finds_a_secret_that_a_node_could_fetch():
    deaf = broken(
        plan=lambda self, spec, /: Minimal.plan(self, dataclasses.replace(spec, enrolment_url=None))
    )
    kit, specs = rules(deaf)
    fails(kit.test_d18_what_nodes_can_fetch_is_in_no_plan, specs, match='join')


@pytest.mark.parametrize(
    ('text', 'rule'),
    [
        ('#!/bin/bash\necho on\n', 'say_their_shell_and_stop_at_errors'),
        ('set -euo pipefail\n', 'say_their_shell_and_stop_at_errors'),
        ('#!/bin/bash\nset -euo pipefail\nif true\n', 'are_bash'),
        ('#!/bin/bash\nset -euo pipefail\nrm $1\n', 'pass_shellcheck'),
        ('#!/bin/bash\nset -euo pipefail\necho "{{ name }}"\n', 'hold_no_placeholder'),
    ],
)
def test_d10_finds_a_script_that_is_not_plain(package, text, rule):
    package('boot.sh', text)
    fails(getattr(rules(broken())[0], f'test_d10_scripts_{rule}'))


def test_d10_finds_a_script_that_a_template_fills_in(package):
    package('boot.sh', '#!/bin/bash\nset -euo pipefail\necho NAME\n')
    filled = TEMPLATE.replace(
        '{value: x}',
        textwrap.dedent("""\
        {value: {str_replace: {template: {get_file: boot.sh}, params: {NAME: x}}}}"""),
    )
    fails(rules(broken(template=filled))[0].test_d10_scripts_hold_no_placeholder, match='NAME')


@pytest.mark.parametrize(
    ('text', 'problem'),
    [
        ('runcmd: []\n', 'first line'),
        ('#cloud-config\n[x\n', 'no YAML'),
        ('#cloud-config\n- x\n', 'no mapping'),
        ('#cloud-config\nwrite_file: []\n', 'write_file: unknown'),
        ('#cloud-config\nruncmd: x\n', 'wrong type'),
        ('#cloud-config\nruncmd: [[false, x]]\n', 'False is no text'),
        ('#cloud-config\nwrite_files: [{contents: x, path: /x}]\n', 'contents: unknown'),
        ('#cloud-config\nwrite_files: [{content: x, path: x}]\n', 'no absolute path'),
        ('#cloud-config\nwrite_files: [x]\n', 'no mapping'),
    ],
)
def test_d11_finds_what_cloud_init_would_drop(text, problem):
    assert any(problem in found for found in cloud_config_problems(text))


def test_a_call_fails_once_before_or_after_it_takes_effect():
    class Heat:
        def __init__(self):
            self.deleted = []

        def delete(self, stack):
            self.deleted.append(stack)

        def list(self, tag):
            return []

    for after in (False, True):
        real = Heat()
        heat = FailingHeat(real, at=2, after=after)
        heat.list('not counted')
        heat.delete('a')
        with pytest.raises(Killed):
            heat.delete('b')
        heat.delete('c')
        assert real.deleted == (['a', 'b', 'c'] if after else ['a', 'c'])
        assert [call.changes for call in heat.calls] == [False, True, True, True]


def test_a_golden_file_is_compared_and_rewritten_on_demand(tmp_path):
    path = tmp_path / 'golden' / 'x.json'
    with pytest.raises(AssertionError, match='is missing'):
        golden.check(path, {'a': 1}, update=False)
    golden.check(path, {'a': 1}, update=True)
    golden.check(path, {'a': 1}, update=False)
    with pytest.raises(AssertionError, match='differs'):
        golden.check(path, {'a': 2}, update=False)


def test_a_readable_plan_names_files_and_splits_lines():
    driver = broken(extra={'size': 'a\nb'})()
    spec = example.spec(driver)
    (stack,) = golden.readable(driver.plan(spec))['stacks']
    assert stack['template'] == 'heat_template_version: wallaby'
    assert stack['parameters']['size'] == ['a', 'b']
    assert stack['parameters']['token'] == {'secret': 'secret/join'}


@pytest.mark.usefixtures('package')
def test_a_driver_without_scripts_passes_shellcheck(monkeypatch):
    kit, _ = rules(broken())
    monkeypatch.setattr(type(kit), 'scripts', lambda self: {})
    kit.test_d10_scripts_pass_shellcheck()


HEATS_OWN = """Content-Type: multipart/mixed; boundary="=="
MIME-Version: 1.0

--==
Content-Type: text/x-shellscript; charset="us-ascii"
MIME-Version: 1.0

#!/usr/bin/env python3
import loguserdata
--==--
"""


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (HEATS_OWN, '"user_data_format: RAW"'),
        ('#cloud-config\n# \u00fc', 'not ASCII'),
        ('#' * 60_000, 'has 60000 bytes'),
        ('#cloud-config\n', '^$'),
    ],
)
def test_user_data_that_is_refused_is_explained(text, said):
    assert re.search(said, user_data_problem(text, {'#!/bin/bash\n'}))
