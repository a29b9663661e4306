"""Rules D15, D19, D20 in part: a driver whose step died, at any call, against a real cloud."""

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

    def test_d15_a_step_that_died_at_any_call_is_repeated_to_the_same_end(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        small = example.with_nodes(self.small(), 0)
        last = self._live_and_die(real_cloud, fresh(small), at=0, after=False)
        assert last >= 1, 'the driver makes no calls'
        # Each death is that of a cluster of its own, so several are tried at a time.
        with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
            lives = [
                pool.submit(self._live_and_die, real_cloud, fresh(small), at=at, after=after)
                for at in range(1, last + 1)
                for after in (False, True)
            ]
            for life in lives:
                life.result()

    def _live_and_die(self, cloud: Cloud, spec: ClusterSpec, *, at: int, after: bool) -> int:
        """Create, update, rotate and delete a cluster, each killed once at its ``at``-th call.

        :returns: the most calls that one of them made.
        """
        driver = self.driver()
        most = self._killed_once(cloud, driver.create, spec, at=at, after=after)
        assert self.part_names(cloud, spec) == self.planned_names(spec)
        if 'update' in self.driver.capabilities:
            spec = example.with_nodes(spec, 1)
            most = max(most, self._killed_once(cloud, driver.update, spec, at=at, after=after))
            assert self.part_names(cloud, spec) == self.planned_names(spec)
            assert driver.get_status(cloud, spec).state == 'COMPLETE'
        if 'rotate_ca' in self.driver.capabilities:
            for stage in example.rotation(spec, self.driver.authorities):
                most = max(
                    most, self._killed_once(cloud, driver.rotate_ca, stage, at=at, after=after)
                )
                assert self.part_names(cloud, stage) == self.planned_names(stage)
        most = max(most, self._killed_once(cloud, driver.delete, spec, at=at, after=after))
        assert self.part_names(cloud, spec) == []
        return most

    def _killed_once(
        self, cloud: Cloud, method: Method, spec: ClusterSpec, *, at: int, after: bool
    ) -> int:
        (dying, record), steps = self.failing(cloud, at=at, after=after), Steps(method, spec)

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
