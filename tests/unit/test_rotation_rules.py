"""Rule D20 finds drivers that would cut nodes off while authorities are replaced."""

import pytest

from magnum_lite.driver_sdk import HeatDriver, Plan
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.contract import DriverContract
from tests.engine.files import File

CERT, KEY, TRUSTED = (f'ca.main.{part}' for part in ('cert', 'key', 'trusted'))


def rules(names, *, contract=(1, 1), part='base'):
    """The rules of a driver whose plan has these secrets, in a part whose name says this."""

    class Mine(HeatDriver):
        name, version, coe = 'mine', '1', 'mine'
        server_types, distros = frozenset({'vm'}), frozenset({'debian'})
        capabilities, authorities = frozenset({'rotate_ca'}), ('main',)

        def get_default_config(self):
            return {}

        def validate(self, spec, /):
            return None

        def plan(self, spec, /):
            return Plan(
                (
                    File(
                        'base',
                        part.format(spec.secrets[CERT].ref),
                        spec.node_groups[0].uuid,
                        text=' '.join(spec.secrets[name].ref for name in names),
                    ),
                )
            )

    Mine.contract = contract
    found = type('Rules', (DriverContract,), {'driver': Mine})()
    specs = {'small': example.spec(Mine())}

    def check():
        found.test_d20_the_plan_has_what_signs_and_all_that_is_trusted(specs)
        found.test_d20_a_rotation_takes_no_part_away(specs)

    return check


def test_a_driver_that_follows_the_stages_passes():
    rules([CERT, KEY, TRUSTED])()


@pytest.mark.parametrize(
    ('names', 'more', 'said'),
    [
        ([CERT, KEY], {}, 'ca.main.trusted has two certificates, and no node knows'),
        ([TRUSTED], {}, 'ca.main.key and .cert are new, and nothing changes'),
        ([CERT, KEY, TRUSTED], {'part': 'base-{}'}, r"a stage of a rotation has no \['base-"),
        ([CERT, KEY, TRUSTED], {'contract': (1, 0)}, r'came with contract \(1, 1\)'),
    ],
)
def test_a_driver_that_does_not_is_told_why(names, more, said):
    with pytest.raises(AssertionError, match=said):
        rules(names, **more)()
