"""The contract kit finds what it is for: drivers that break a rule fail the test of that rule."""

import dataclasses
import subprocess
import sys
import textwrap

import pytest

from magnum_lite.driver_sdk import Plan, Secret, Status
from magnum_lite.driver_sdk.testing import plan_rules
from magnum_lite.objects import ClusterTemplate
from tests.unit.minimal import TEMPLATE, Minimal, broken, fails, rules


@pytest.mark.usefixtures('package')
def test_a_driver_that_keeps_the_rules_passes():
    kit, specs = rules(broken())
    kit.test_d1_the_schema_is_closed_and_described()
    kit.test_d1_the_default_configuration_meets_the_schema()
    kit.test_d1_a_default_is_a_new_mapping_each_time()
    kit.test_d1_only_with_names_what_can_be()
    kit.test_d2_validate_and_dry_runs_are_pure(specs)
    kit.test_d2_an_attempt_is_no_part_of_a_plan(specs)
    kit.test_d2_a_dry_run_needs_no_secret(specs)
    kit.test_d3_a_plan_is_json_of_moderate_size()
    kit.test_d3_parts_come_after_those_they_require()
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
@pytest.mark.parametrize(
    'only_with',
    [{'sise': True}, {'size': True}, {'fixed_network': 'private'}, {'network_driver': []}],
)
def test_d1_finds_a_condition_that_nobody_can_judge(only_with):
    known = Minimal.config_schema['properties']
    schema = {
        **Minimal.config_schema,
        'properties': {**known, 'size': {**known['size'], 'only_with': only_with}},
    }
    fails(rules(broken(config_schema=schema))[0].test_d1_only_with_names_what_can_be, match='size')


def test_conditions_name_attributes_that_clusters_have():
    assert plan_rules.ATTRIBUTES <= ClusterTemplate.fields.keys()


def test_a_rule_without_words_shows_what_it_compared(tmp_path):
    (tmp_path / 'test_acme.py').write_text(
        textwrap.dedent("""\
        from magnum_lite.driver_sdk.testing.contract import DriverContract
        class Open:
            config_schema = {'properties': {}, 'additionalProperties': True}
        class TestOpen(DriverContract):
            driver = Open
    """)
    )
    ended = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-k', 'closed'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 'assert True is False' in ended.stdout, ended.stdout + ended.stderr


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
def test_d2_finds_a_plan_of_one_phase():
    phased = broken(
        update_dry_run=lambda self, spec, /: Minimal.plan(
            self, dataclasses.replace(spec, name=f'{spec.name} {spec.cursor}')
        )
    )
    kit, specs = rules(phased)
    fails(kit.test_d2_an_attempt_is_no_part_of_a_plan, specs)


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
def test_d7_finds_a_group_without_addresses():
    kit, specs = rules(
        broken(
            get_status=lambda self, cloud, spec, /: Status(
                'COMPLETE',
                api_address='https://192.0.2.7',
                group_addresses={spec.control_plane.uuid: ('192.0.2.7',)},
            )
        )
    )
    fails(
        kit.check_that_nothing_is_left_to_do,
        None,
        specs['vm-defaults'],
        match=r'default-worker of 1 nodes has the addresses \(\): each group wants a stack',
    )


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
    'join', [{'authority': 'etcd'}, {'authority': 'other', 'organization': 'nodes'}]
)
def test_d18_finds_an_authority_that_lets_nobody_join(join):
    kit = rules(broken(authorities=('etcd',), join_certificate=join))[0]
    fails(kit.test_d18_nodes_join_by_an_authority_of_the_driver, match='authority')
