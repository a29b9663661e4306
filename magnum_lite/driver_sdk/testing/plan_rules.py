"""Rules D1 to D6, D12 in part, D13 and D18: what a driver says without any cloud."""

import copy
import dataclasses
import importlib.resources
import ipaddress
import json
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import jsonschema
import pytest

from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.errors import Rejected
from magnum_lite.driver_sdk.heat import HeatDriver
from magnum_lite.driver_sdk.plan import Plan, Stack
from magnum_lite.driver_sdk.spec import APPLICATION_CREDENTIAL, ClusterSpec, Secret
from magnum_lite.driver_sdk.testing import example, purity
from magnum_lite.driver_sdk.testing.template import Template

# Attributes of clusters and templates that ``only_with`` may name, beside labels.
ATTRIBUTES = frozenset(
    """
docker_storage_driver docker_volume_size external_network_id fixed_network fixed_subnet
floating_ip_enabled http_proxy https_proxy insecure_registry master_lb_enabled network_driver
no_proxy registry_enabled server_type tls_disabled volume_driver
""".split()
)
# Heat's default max_template_size.
TEMPLATE_BYTES = 512 * 1024


class PlanRules:
    """The rules about configuration and plans."""

    driver: ClassVar[type[Driver]]
    #: Files of the package that Python reads and renders, so that no plan holds them as they are.
    rendered: ClassVar[frozenset[str]] = frozenset()

    def scenarios(self) -> dict[str, ClusterSpec]:
        """``{name: spec}`` that the rules are tried with; override to add the driver's own."""
        return example.scenarios(self.driver())

    @pytest.fixture
    def specs(self) -> dict[str, ClusterSpec]:
        """The scenarios."""
        return self.scenarios()

    def plans(self) -> dict[str, Plan]:
        """``{scenario: plan}``."""
        return {name: self.driver().create_dry_run(spec) for name, spec in self.scenarios().items()}

    def stacks(self) -> list[tuple[str, Stack]]:
        """``[('scenario: stack key', stack), ...]``."""
        return [
            (f'{name}: {stack.key}', stack)
            for name, plan in self.plans().items()
            for stack in plan.stacks
        ]

    def package_files(self) -> dict[str, str]:
        """``{path: text}`` of the files in the driver's package that are not Python."""
        package = importlib.resources.files(self.driver.__module__.partition('.')[0])
        return dict(_texts(package, ''))

    def test_d1_the_default_configuration_meets_the_schema(self) -> None:
        jsonschema.validate(self.driver().get_default_config(), dict(self.driver.config_schema))

    def test_d1_the_schema_is_closed_and_described(self) -> None:
        schema = self.driver.config_schema
        jsonschema.Draft202012Validator.check_schema(dict(schema))
        assert schema['additionalProperties'] is False
        silent = [n for n, p in schema['properties'].items() if not p.get('description')]
        assert not silent, f'no description: {silent}'

    def test_d1_a_pattern_has_an_example_for_people(self) -> None:
        for name, schema in self.driver.config_schema['properties'].items():
            if 'pattern' not in schema:
                continue
            shown = [*schema.get('examples', ()), schema.get('default')]
            assert any(shown), f'{name}: nobody reads a pattern; give "examples" or a default'
            for value in schema.get('examples', ()):
                jsonschema.validate(value, schema)

    def test_d1_only_with_names_what_can_be(self) -> None:
        properties = self.driver.config_schema['properties']
        for name, schema in properties.items():
            for other, wanted in schema.get('only_with', {}).items():
                assert other != name and other in ATTRIBUTES | properties.keys(), (
                    f'{name}: only_with names {other}, which is no other label and no attribute'
                )
                assert isinstance(wanted, bool) or isinstance(wanted, list) and wanted, (
                    f'{name}: {other} in only_with is to be true, false or a list of values'
                )

    def test_d1_a_value_of_an_attribute_is_known_where_it_is_declared(self) -> None:
        driver = self.driver()
        for name, values in driver.config_schema.get('attributes', {}).items():
            for value in (*values, 'no-such-value'):
                refused = None
                try:
                    driver.validate(dataclasses.replace(example.spec(driver), **{name: value}))
                except Rejected as error:
                    refused = error.path
                assert (refused == name) == (value not in values), f'{name} {value}: {refused}'

    def test_d1_a_default_is_a_new_mapping_each_time(self) -> None:
        first = self.driver().get_default_config()
        first.clear()
        assert (
            self.driver().get_default_config() != first
            or not self.driver.config_schema['properties']
        )

    def test_d2_validate_and_dry_runs_are_pure(self, specs: dict[str, ClusterSpec]) -> None:
        driver = self.driver()
        for spec in specs.values():
            before = copy.deepcopy(spec)
            driver.create_dry_run(spec)  # what is imported or read once, is now
            with purity.guard():
                driver.validate(spec)
                plans = [
                    driver.create_dry_run(spec),
                    driver.update_dry_run(spec),
                    self.driver().create_dry_run(before),
                ]
            assert spec == before
            assert plans[0].document() == plans[2].document()
            assert [s.digest for s in plans[0]] == [s.digest for s in plans[2]]
            assert plans[1].document() == driver.update_dry_run(before).document()

    def test_d2_an_attempt_is_no_part_of_a_plan(self, specs: dict[str, ClusterSpec]) -> None:
        driver = self.driver()
        for spec in specs.values():
            again = dataclasses.replace(
                spec,
                attempt='another',
                phase='stacks',
                cursor=1,
                focus=spec.node_groups[-1].uuid,
                lost=('a server',),
                api_address='https://192.0.2.7:6443',
                denied_networks=(ipaddress.ip_network('192.0.2.0/24'),),
            )
            assert driver.create_dry_run(spec) == driver.create_dry_run(again)
            assert driver.update_dry_run(spec) == driver.update_dry_run(again)

    def test_d2_a_dry_run_needs_no_secret(self, specs: dict[str, ClusterSpec]) -> None:
        for spec in specs.values():
            dry = dataclasses.replace(spec, secrets=example.without_values(spec.secrets))
            assert [s.digest for s in self.driver().create_dry_run(dry)] == [
                s.digest for s in self.driver().create_dry_run(spec)
            ]

    def test_d3_a_plan_is_json_of_moderate_size(self) -> None:
        for name, plan in self.plans().items():
            assert json.loads(json.dumps(plan.document())) == plan.document(), name
        for where, stack in self.stacks():
            assert len(stack.template.encode()) <= TEMPLATE_BYTES, where

    def test_d3_parts_come_after_those_they_require(self) -> None:
        for name, plan in self.plans().items():
            keys = [part.key for part in plan]
            assert len(set(keys)) == len(keys) == len({part.name for part in plan}), name
            for index, part in enumerate(plan):
                assert part.requires <= set(keys[:index]), f'{name}: {part.key}'

    def test_d4_parameters_are_exactly_those_of_the_template(self) -> None:
        for where, stack in self.stacks():
            declared = Template.parse(stack.template).parameters
            required = {name for name, schema in declared.items() if 'default' not in schema}
            assert set(stack.parameters) <= set(declared), where
            assert required <= set(stack.parameters), where

    def test_d5_every_file_that_is_included_comes_along(self) -> None:
        for where, stack in self.stacks():
            wanted = set(Template.parse(stack.template).included)
            for text in stack.files.values():
                if text.startswith('heat_template_version'):
                    wanted |= Template.parse(text).included
            assert wanted <= set(stack.files), where

    def test_d5_every_file_of_the_package_is_used(self) -> None:
        used = {
            text for _, stack in self.stacks() for text in (stack.template, *stack.files.values())
        }
        unused = [
            path
            for path, text in self.package_files().items()
            if text not in used and path not in self.rendered
        ]
        assert not unused, f'in no plan: {unused}'

    def test_d6_the_outputs_that_the_service_reads_exist(self) -> None:
        for name, plan in self.plans().items():
            if not plan.stacks:
                assert not issubclass(self.driver, HeatDriver), f'{name}: no stack'
                continue
            base = Template.parse(plan.stacks[0].template)
            missing = {'api_address', 'control_plane_addresses'} - base.outputs
            assert not missing, f'{name}: the base stack has no output {sorted(missing)}'
            for stack in plan.stacks:
                if stack.node_group:
                    assert 'node_addresses' in Template.parse(stack.template).outputs, (
                        f'{name}: stack {stack.key} has no output node_addresses'
                    )

    def test_d13_secrets_stand_in_hidden_parameters_only(self) -> None:
        for where, stack in self.stacks():
            template = Template.parse(stack.template)
            shown = [
                name
                for name, value in stack.parameters.items()
                if isinstance(value, Secret) and name not in template.hidden
            ]
            assert not shown, f'{where}: {shown} are not hidden'

    def test_d13_no_plan_holds_the_value_of_a_secret(self, specs: dict[str, ClusterSpec]) -> None:
        for name, spec in specs.items():
            text = json.dumps(self.driver().create_dry_run(spec).document())
            for secret in spec.secrets.values():
                lines = [line for line in (secret.value or '').splitlines() if '---' not in line]
                assert not any(line in text for line in lines), f'{name}: {secret.ref}'

    def test_d18_nodes_join_by_an_authority_of_the_driver(self) -> None:
        driver = self.driver()
        join = driver.join_certificate
        assert not join or set(join) == {'authority', 'organization'}, join
        assert not join or join['authority'] in driver.authorities, join

    def test_d18_what_nodes_can_fetch_is_in_no_plan(self, specs: dict[str, ClusterSpec]) -> None:
        for name, spec in specs.items():
            spec = dataclasses.replace(spec, enrolment_url=example.ENROLMENT_URL)
            fetched = {
                secret.ref: purpose
                for purpose, secret in spec.secrets.items()
                if not purpose.endswith(('.cert', '.trusted', '.cross'))
                and purpose not in APPLICATION_CREDENTIAL
            }
            for plan in (self.driver().create_dry_run(spec), self.driver().update_dry_run(spec)):
                given = {fetched[ref] for ref in _secrets(plan.document()) if ref in fetched}
                assert not given, f'{name}: nodes can fetch {sorted(given)}'


def _secrets(document: Any) -> set[str]:
    """References of the secrets that a plan's document names."""
    if isinstance(document, Mapping):
        if document.keys() == {'secret'}:
            return {str(document['secret'])}
        document = list(document.values())
    if isinstance(document, list):
        return {ref for value in document for ref in _secrets(value)}
    return set()


def _texts(where: Traversable, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for entry in where.iterdir():
        path = prefix + entry.name
        if entry.is_dir() and entry.name != '__pycache__':
            found += _texts(entry, path + '/')
        elif entry.is_file() and not path.endswith(('.py', '.pyc', 'py.typed')):
            found.append((path, entry.read_text('utf-8')))
    return found
