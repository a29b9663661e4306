"""Rule D20: a driver whose clusters can get new certificate authorities."""

from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.plan_rules import PlanRules


class RotationRules(PlanRules):
    """What the plan says in each stage of a rotation."""

    def test_d20_the_plan_has_what_signs_and_all_that_is_trusted(
        self, specs: dict[str, ClusterSpec]
    ) -> None:
        if 'rotate_ca' not in self.driver.capabilities:
            return
        assert self.driver.contract >= (1, 1), (
            'ca.<purpose>.trusted came with contract (1, 1), which the class has to name'
        )
        for name, spec in specs.items():
            for purpose in self.driver.authorities:
                before, trust, sign, forget = map(
                    self._digests, (spec, *example.rotation(spec, [purpose]))
                )
                where = f'{name}: ca.{purpose}'
                assert before != trust, f'{where}.trusted has two certificates, and no node knows'
                assert trust != sign or self._signs_elsewhere(purpose), (
                    f'{where}.key and .cert are new, and nothing changes'
                )
                assert sign != forget, f'{where}.trusted has one certificate less, as no node knows'

    def test_d20_a_rotation_takes_no_part_away(self, specs: dict[str, ClusterSpec]) -> None:
        if 'rotate_ca' not in self.driver.capabilities:
            return
        for name, spec in specs.items():
            for stage in example.rotation(spec, self.driver.authorities):
                gone = self._digests(spec).keys() - self._digests(stage).keys()
                assert not gone, f'{name}: a stage of a rotation has no {sorted(gone)} any more'

    def _signs_elsewhere(self, purpose: str) -> bool:
        """Whether the service alone signs by an authority: one that is for joining only."""
        join = self.driver.join_certificate.get('authority')
        return purpose == join and purpose != self.driver.authorities[0]

    def _digests(self, spec: ClusterSpec) -> dict[str, str]:
        return {part.name: part.digest for part in self.driver().update_dry_run(spec)}
