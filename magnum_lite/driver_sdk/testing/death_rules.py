"""Rules D15, D19, D20 in part: a driver whose step died, at any change, against a real cloud.

A step that dies while it reads leaves what one leaves that died after the change before.
"""

import concurrent.futures
from collections.abc import Callable

from magnum_lite.driver_sdk.cloud import Cloud
from magnum_lite.driver_sdk.spec import ClusterSpec
from magnum_lite.driver_sdk.status import Done, Progress, Waiting
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import CloudRules, finish
from magnum_lite.driver_sdk.testing.fake import Killed
from magnum_lite.driver_sdk.testing.steps import Method, Steps

# More would only queue up in the one process of the embedded Heat.
AT_A_TIME = 4


class DeathRules(CloudRules):
    """The rules about steps that did not come to their end."""

    def test_d15_a_step_that_died_at_any_change_is_repeated_to_the_same_end(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        small = example.with_nodes(self.small(), 0)

        def live(at: int, after: bool) -> int:
            return self._live_and_die(real_cloud, fresh(small), at=at, after=after)

        self.die_at_each_change(live)

    def die_at_each_change(self, live: Callable[[int, bool], int]) -> None:
        """Live once and count the changes, then as often as there are moments to die.

        :param live: of the number of a change and whether it takes effect; returns how many there
            are. Each has a cluster of its own, so several live at a time.
        """
        last = live(0, False)
        assert last >= 1, 'the driver changes nothing'
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            deaths = [(at, after) for at in range(1, last + 1) for after in (False, True)]
            for one in [pool.submit(live, at, after) for at, after in deaths]:
                one.result()

    def _live_and_die(self, cloud: Cloud, spec: ClusterSpec, *, at: int, after: bool) -> int:
        """Create, update and delete a cluster, each killed once at its ``at``-th change; where none
        is, a rotation is killed at each change.

        :returns: the most changes that one of them made.
        """
        driver = self.stepping()
        most = self._killed(cloud, driver.create, spec, at=at, after=after)
        assert self.part_names(cloud, spec) == self.planned_names(spec)
        if 'update' in self.driver.capabilities:
            spec = example.with_nodes(spec, 1)
            most = max(most, self._killed(cloud, driver.update, spec, at=at, after=after))
            assert self.part_names(cloud, spec) == self.planned_names(spec)
            assert driver.get_status(cloud, spec).state == 'COMPLETE'
        if 'rotate_ca' in self.driver.capabilities and not at:
            for stage in example.rotation(spec, self.driver.authorities):
                # Many changes, that take long: one life for all deaths.
                self._killed(cloud, driver.rotate_ca, stage, always=True, after=True)
                assert self.part_names(cloud, stage) == self.planned_names(stage)
        most = max(most, self._killed(cloud, driver.delete, spec, at=at, after=after))
        assert self.part_names(cloud, spec) == []
        return most

    def _killed(
        self,
        cloud: Cloud,
        method: Method,
        spec: ClusterSpec,
        *,
        after: bool,
        at: int = 0,
        always: bool = False,
    ) -> int:
        (dying, record), steps = self.failing(cloud, at=at, after=after), Steps(method, spec)
        if always:  # not where things are marked, which the next step does again
            record.always, record.counted = True, record.changing

        def again() -> Progress:
            try:
                return steps.take(dying)
            except Killed:
                return Waiting('killed')

        assert isinstance(finish(again), Done)
        for told in steps.entered:
            assert self.driver().update_dry_run(told) == self.driver().update_dry_run(spec), (
                f'in phase {told.phase} a dry run is another one (D19)'
            )
        return record.count()
