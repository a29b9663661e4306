"""A driver that keeps every rule of the contract that needs no cloud, and how it breaks one."""

import pytest

from magnum_lite.driver_sdk import Plan, Stack
from magnum_lite.driver_sdk.testing.contract import DriverContract
from tests.unit.bare import Bare

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


class Minimal(Bare):
    """Keeps every rule that needs no cloud."""

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

    def plan(self, spec, /):
        token = '' if spec.enrolment_url else spec.secrets['join']
        return Plan(
            (
                Stack(
                    key='base',
                    name=f'bare-{spec.uuid}',
                    template=self.template,
                    parameters={'name': spec.name, 'token': token, **self.extra},
                    node_group=spec.control_plane.uuid,
                ),
            )
        )


def broken(**changes):
    """A driver that differs from ``Minimal`` in the named attributes."""
    return type('Broken', (Minimal,), changes)


def rules(driver):
    """The contract's tests for a driver, in its package of its own."""
    driver.__module__ = 'package_of_a_driver'
    kit = type('TestDriver', (DriverContract,), {'driver': driver})()
    return kit, kit.scenarios()


def fails(test, *arguments, match=None):
    """Run a test of the contract, which has to fail."""
    with pytest.raises(AssertionError, match=match):
        test(*arguments)
