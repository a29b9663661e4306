"""Rule D21: a driver whose upgrades make new nodes beside the old ones."""

from collections.abc import Callable
from typing import Any

from magnum_lite.driver_sdk.cloud import Cloud
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.death_rules import DeathRules


class GenerationRules(DeathRules):
    """What plans have of several generations of a group, and what a step makes of them."""

    def test_d21_a_plan_has_the_parts_of_all_generations(
        self, specs: dict[str, ClusterSpec]
    ) -> None:
        if 'surge' not in self.driver.capabilities:
            return
        assert self.driver.contract >= (1, 1), (
            'generations came with contract (1, 1), which the class has to name'
        )
        for name, spec in specs.items():
            both, going, alone = map(self._documents, example.surge(spec))
            old, uuid = self._documents(spec), spec.worker_groups[0].uuid
            for part in self.driver().update_dry_run(example.surge(spec)[0]):
                assert part.node_group != uuid or part.generation in (1, 2), (
                    f'{name}: part {part.key} holds nodes of the group, and says no generation'
                )
            same = old.keys() & alone.keys()
            assert not [part for part in same if part[0] == uuid], (
                f'{name}: the parts of two generations have the same name: {sorted(same)}'
            )
            assert both == old | alone, (
                f'{name}: the plan of both is not that of one and that of the other'
            )
            assert going == both, f'{name}: what goes is planned until the next plan'

    def _documents(self, spec: ClusterSpec) -> dict[tuple[str | None, str], Any]:
        return {
            (part.node_group, part.name): part.document()
            for part in self.driver().update_dry_run(spec)
        }

    def test_d21_old_nodes_stay_until_the_plan_has_them_no_more(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        if 'surge' not in self.driver.capabilities:
            return
        small = example.with_nodes(self.small(), 1)

        def live(at: int, after: bool) -> int:
            return self._surge(real_cloud, fresh(small), at=at, after=after)

        self.die_at_each_change(live)

    def _surge(self, cloud: Cloud, spec: ClusterSpec, *, at: int, after: bool) -> int:
        """Upgrade a cluster, each stage killed once at its ``at``-th change.

        :returns: the most changes that one of them made.
        """
        driver, uuid, most = self.stepping(), spec.worker_groups[0].uuid, 0
        self._killed(cloud, driver.create, spec, at=0, after=False)
        old = set(driver.get_status(cloud, spec).group_addresses[uuid])
        for stage in example.surge(spec):
            most = max(most, self._killed(cloud, driver.upgrade, stage, at=at, after=after))
            assert self.part_names(cloud, stage) == self.planned_names(stage)
            status = driver.get_status(cloud, stage)
            assert status.state == status.group_states[uuid] == 'COMPLETE'
            found, group = set(status.group_addresses[uuid]), stage.worker_groups[0]
            assert len(found) == sum(one.node_count for one in group.generations)
            assert bool(old & found) == bool(group.beside), (
                'old nodes are replaced' if group.beside else 'old nodes are left'
            )
        return most
