"""Rule D20 finds drivers that would cut nodes off while authorities are replaced."""

import pytest

from magnum_lite.driver_sdk import HeatDriver, Plan
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.contract import DriverContract
from tests.engine.files import File
from tests.unit.minimal import broken

CERT, KEY, TRUSTED = (f'ca.main.{part}' for part in ('cert', 'key', 'trusted'))


def rules(names, *, contract=(1, 1), part='base', authorities=('main',), join=None):
    """The rules of a driver whose plan has these secrets, in a part whose name says this.

    :param join: the authority by which its nodes join.
    """

    class Mine(HeatDriver):
        name, version, coe = 'mine', '1', 'mine'
        server_types, distros = frozenset({'vm'}), frozenset({'debian'})
        capabilities = frozenset({'rotate_ca'})

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

    Mine.contract, Mine.authorities = contract, authorities
    Mine.join_certificate = {'authority': join, 'organization': 'nodes'} if join else {}
    found = type('Rules', (DriverContract,), {'driver': Mine})()
    specs = {'small': example.spec(Mine())}

    def check():
        found.test_d20_the_plan_has_what_signs_and_all_that_is_trusted(specs)
        found.test_d20_a_rotation_takes_no_part_away(specs)

    return check


def test_a_driver_that_follows_the_stages_passes():
    rules([CERT, KEY, TRUSTED])()


def test_what_the_service_alone_signs_by_may_change_in_silence():
    join = 'ca.join.trusted'
    rules([CERT, KEY, TRUSTED, join], authorities=('main', 'join'), join='join')()
    with pytest.raises(AssertionError, match='ca.join.trusted has two certificates'):
        rules([CERT, KEY, TRUSTED], authorities=('main', 'join'), join='join')()
    with pytest.raises(AssertionError, match='ca.join.key and .cert are new'):  # nodes do not join
        rules([CERT, KEY, TRUSTED, join], authorities=('main', 'join'))()
    with pytest.raises(AssertionError, match='ca.main.key and .cert are new'):  # nodes sign, too
        rules([TRUSTED], join='main')()


def test_servers_have_a_cross_certificate_in_the_stage_in_which_new_authorities_sign():
    spec = example.spec(broken(authorities=('main', 'other'))())
    stages = (spec, *example.rotation(spec, ['main']))
    found = [stage.secrets['ca.main.cross'] for stage in stages]
    assert [bool(secret.value) for secret in found] == [False, False, True, False]
    assert found[0] == found[1] == found[3] != found[2]
    assert {stage.secrets['ca.other.cross'].value for stage in stages} == {''}


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
