"""Rules D3 in part, D7 to D9, D12, D14 to D16: a driver against a real Heat.

They need the fixtures ``real_cloud`` (a Cloud in an empty project) and ``user_data`` (a function
``server name -> text`` of what servers were given), which ``magnum_lite_dev.pytest_plugin`` has.
"""

import concurrent.futures
import dataclasses
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from magnum_lite.driver_sdk.cloud import Cloud, StackView
from magnum_lite.driver_sdk.errors import CloudUnavailable, NotSupported
from magnum_lite.driver_sdk.heat import HeatDriver, cluster_tag
from magnum_lite.driver_sdk.spec import ClusterSpec, Image
from magnum_lite.driver_sdk.status import Done, Failed, Progress, Waiting
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.fake import FailingCloud, FailingHeat, Killed
from magnum_lite.driver_sdk.testing.plan_rules import PlanRules
from magnum_lite.driver_sdk.testing.template import parts, written

# Nova's limit of user data, after base64.
USER_DATA_BYTES = 65535
DONE_WITHIN_S = 120
# More would only queue up in the one process of the embedded Heat.
AT_A_TIME = 4
ACTIONS = (
    'CREATE',
    'UPDATE',
    'DELETE',
    'ROLLBACK',
    'SUSPEND',
    'RESUME',
    'CHECK',
    'SNAPSHOT',
    'RESTORE',
    'ADOPT',
)
STATES = {'IN_PROGRESS': 'IN_PROGRESS', 'COMPLETE': 'COMPLETE', 'FAILED': 'FAILED'}


def finish(step: Callable[[], Progress], *, within_s: float = DONE_WITHIN_S) -> Progress:
    """Take a step again and again, as the conductor does, until it is done or has failed.

    :raises AssertionError: it was neither in time.
    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            progress = step()
        except CloudUnavailable as error:
            progress = Waiting(str(error))
        if isinstance(progress, Done | Failed):
            return progress
        assert time.monotonic() < deadline, f'still {progress}'
        time.sleep(0.2)


class CloudRules(PlanRules):
    """The rules about what a driver does."""

    def small(self) -> ClusterSpec:
        """The cluster that is made; the smaller, the faster."""
        return example.spec(self.driver())

    def stack_names(self, cloud: Cloud, spec: ClusterSpec) -> list[str]:
        """Sorted names of the cluster's stacks, each as often as it exists."""
        # For a moment Heat still lists a stack that is gone.
        return sorted(
            view.name
            for view in cloud.heat.list(cluster_tag(spec.uuid))
            if view.status != 'DELETE_COMPLETE'
        )

    def planned_names(self, spec: ClusterSpec) -> list[str]:
        """Sorted names of the stacks that a plan has."""
        return sorted(stack.name for stack in self.driver().create_dry_run(spec))

    @pytest.fixture
    def fresh(self, real_cloud: Cloud) -> Iterator[Callable[[ClusterSpec], ClusterSpec]]:
        """Gives a spec a uuid of its own, and deletes its cluster afterwards."""
        made: list[ClusterSpec] = []

        def make(spec: ClusterSpec) -> ClusterSpec:
            uuid = f'{len(made):08x}{spec.uuid[8:]}'
            made.append(dataclasses.replace(spec, uuid=uuid))
            return made[-1]

        yield make
        for spec in made:
            finish(
                lambda spec=spec: self.driver().delete(  # type: ignore[misc]
                    real_cloud, spec
                )
            )

    def test_d7_create_sends_exactly_the_dry_run(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        spec, heat = fresh(self.small()), FailingHeat(real_cloud.heat)
        assert isinstance(finish(lambda: self.driver().create(FailingCloud(heat), spec)), Done)
        sent = {call.args[0]: call.args[1] for call in heat.calls if call.method == 'create'}
        plan = self.driver().create_dry_run(spec)
        assert sorted(sent) == self.planned_names(spec)
        outputs = {stack.key: _outputs(real_cloud, stack.name) for stack in plan}
        for stack in plan:
            assert sent[stack.name]['template'] == stack.template
            assert sent[stack.name]['files'] == dict(stack.files)
            assert sent[stack.name]['parameters'] == stack.resolve(outputs)
        self.check_that_nothing_is_left_to_do(real_cloud, spec)

    def check_that_nothing_is_left_to_do(self, cloud: Cloud, spec: ClusterSpec) -> None:
        """D8 and D14 for a cluster that is complete."""
        status = self.driver().get_status(cloud, spec)
        assert status.state == 'COMPLETE'
        assert status.api_address
        for group in spec.node_groups:
            assert len(status.group_addresses.get(group.uuid, ())) == group.node_count
        heat = FailingHeat(cloud.heat)
        assert isinstance(self.driver().create(FailingCloud(heat), spec), Done)
        if 'update' in self.driver.capabilities:
            assert isinstance(self.driver().update(FailingCloud(heat), spec), Done)
        assert not [call for call in heat.calls if call.changes]

    def test_d9_an_undeclared_capability_is_refused(self, real_cloud: Cloud) -> None:
        driver, spec = self.driver(), self.small()
        for capability, method in (
            ('upgrade', driver.upgrade),
            ('rotate_ca', driver.rotate_ca),
            ('scale_manager', driver.get_scale_manager),
            ('monitor', driver.get_monitor),
        ):
            if capability not in self.driver.capabilities:
                with pytest.raises(NotSupported):
                    method(real_cloud, spec)

    def test_d9_declared_managers_answer_for_a_cluster_that_is_not_there(
        self, real_cloud: Cloud
    ) -> None:
        driver, spec = self.driver(), self.small()
        if 'monitor' in self.driver.capabilities:
            health = driver.get_monitor(real_cloud, spec).look(timeout_s=1)
            assert health.status in ('HEALTHY', 'UNHEALTHY', 'UNKNOWN')
        if 'scale_manager' in self.driver.capabilities:
            manager = driver.get_scale_manager(real_cloud, spec)
            assert manager.indexes(spec.worker_groups[0].uuid, []) == ()

    def test_d12_hostile_text_reaches_a_node_unexecuted(
        self,
        real_cloud: Cloud,
        user_data: Callable[[], dict[str, str]],
        fresh: Callable[[ClusterSpec], ClusterSpec],
        tmp_path: Path,
    ) -> None:
        spec = fresh(example.hostile(self.small()))
        self.driver().validate(spec)
        assert isinstance(finish(lambda: self.driver().create(real_cloud, spec)), Done)
        own = set(self.package_files().values())
        assert user_data(), 'no server has user data'
        for server, text in user_data().items():
            problem = user_data_problem(text, own)
            assert not problem, f'user data of server {server}: {problem}'
            for path, content in written(text).items():
                if path.endswith('.env'):
                    _source(content, tmp_path)

    def test_d14_every_status_of_heat_has_a_meaning(self) -> None:
        driver, spec = self.driver(), self.small()
        if not isinstance(driver, HeatDriver):
            return
        plan = driver.plan(spec)
        for action in ACTIONS:
            for status, state in STATES.items():
                views = {
                    s.key: StackView(id=s.key, name=s.name, status=f'{action}_{status}')
                    for s in plan
                }
                assert driver.status_of(spec, views).state == state, f'{action}_{status}'
        assert driver.status_of(spec, {}).state == 'ABSENT'

    def test_d15_delete_of_nothing_is_done(self, real_cloud: Cloud) -> None:
        assert isinstance(self.driver().delete(real_cloud, self.small()), Done)
        assert isinstance(self.driver().delete(real_cloud, self.small()), Done)
        assert self.driver().get_status(real_cloud, self.small()).state == 'ABSENT'
        # A delete may overtake the create before its secrets were made or its image was found.
        early = dataclasses.replace(self.small(), secrets={}, image=Image('', '', ''), config={})
        assert isinstance(self.driver().delete(real_cloud, early), Done)

    def test_d15_a_step_that_died_at_any_call_is_repeated_to_the_same_end(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        small = example.with_nodes(self.small(), 0)
        last = self._live_and_die(real_cloud, fresh(small), at=0, after=False)
        assert last > 1, 'the driver makes no calls'
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
        """Create, update and delete a cluster, each killed once at its ``at``-th call.

        :returns: the most calls that one of the three made.
        """
        driver = self.driver()
        most = self._killed_once(cloud, driver.create, spec, at=at, after=after)
        assert self.stack_names(cloud, spec) == self.planned_names(spec)
        if 'update' in self.driver.capabilities:
            spec = example.with_nodes(spec, 1)
            most = max(most, self._killed_once(cloud, driver.update, spec, at=at, after=after))
            assert self.stack_names(cloud, spec) == self.planned_names(spec)
            assert driver.get_status(cloud, spec).state == 'COMPLETE'
        most = max(most, self._killed_once(cloud, driver.delete, spec, at=at, after=after))
        assert self.stack_names(cloud, spec) == []
        return most

    def _killed_once(
        self,
        cloud: Cloud,
        step: Callable[[Cloud, ClusterSpec], Progress],
        spec: ClusterSpec,
        *,
        at: int,
        after: bool,
    ) -> int:
        heat = FailingHeat(cloud.heat, at=at, after=after)

        def again() -> Progress:
            try:
                return step(FailingCloud(heat), spec)
            except Killed:
                return Waiting('killed')

        assert isinstance(finish(again), Done)
        return sum(call.method in heat.counted for call in heat.calls)

    def test_d16_upgrade_says_from_which_versions(self) -> None:
        if 'upgrade' in self.driver.capabilities:
            assert getattr(self.driver, 'upgrades_from', None), (
                'the class says nothing in upgrades_from'
            )


def _outputs(cloud: Cloud, name: str) -> Any:
    view = cloud.heat.get(name)
    return view.outputs if view else {}


def user_data_problem(text: str, own: set[str]) -> str:
    """What a node's user data has that D3 or D12 forbids; empty if nothing.

    :param own: the texts of the files of the driver's package.
    """
    most = USER_DATA_BYTES * 3 // 4
    if len(text.encode()) > most:
        return f'it has {len(text.encode())} bytes, more than {most} (D3)'
    if not text.isascii():
        return 'it is not ASCII: write text by driver_sdk.envfile'
    # A script that was not written by the driver's author was made by somebody's text.
    for kind, part in parts(text):
        if kind == 'text/x-shellscript' and part not in own:
            return (
                f'the script that begins with {part[:60]!r} is no file of the package. Heat '
                'adds its own where the server has no "user_data_format: RAW"; other texts '
                'belong into an environment file'
            )
    return ''


def _source(text: str, where: Path) -> None:
    """Let bash read an environment file with nothing else to run, and see that nothing ran."""
    done = subprocess.run(
        ['/bin/bash', '-c', 'PATH=/nowhere; set -eu; . /dev/stdin'],
        input=text,
        text=True,
        capture_output=True,
        cwd=where,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout + done.stderr
    assert not list(where.iterdir())
