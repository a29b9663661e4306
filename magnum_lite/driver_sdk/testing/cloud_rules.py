"""Rules D3 in part, D7 to D9, D12, D14 to D16: a driver against a real cloud.

They need the fixtures ``real_cloud`` (a Cloud in an empty project) and ``user_data`` (a function
``server name -> text`` of what servers were given), which ``magnum_lite_dev.pytest_plugin`` has for
Heat. A driver that does without has its own fixtures, and its own ``part_names`` and ``failing``.
"""

import dataclasses
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from magnum_lite.driver_sdk import tags
from magnum_lite.driver_sdk.cloud import Cloud, StackView
from magnum_lite.driver_sdk.driver import Driver
from magnum_lite.driver_sdk.errors import CloudUnavailable, NotSupported
from magnum_lite.driver_sdk.heat import HeatDriver
from magnum_lite.driver_sdk.spec import ClusterSpec, Image
from magnum_lite.driver_sdk.status import Done, Failed, Progress, Waiting
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.fake import Failing, FailingCloud, FailingHeat
from magnum_lite.driver_sdk.testing.plan_rules import PlanRules
from magnum_lite.driver_sdk.testing.template import parts, written

# Nova's limit of user data, after base64.
USER_DATA_BYTES = 65535
DONE_WITHIN_S = 300
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

    #: Whose steps are taken where ``driver`` would ask its clusters on the way: a subclass that
    #: needs no answer, since the kit's cloud makes no machines and no cluster forms.
    stepped: ClassVar[type[Driver] | None] = None

    def stepping(self) -> Driver:
        """The driver whose steps are taken."""
        return (self.stepped or self.driver)()

    def small(self) -> ClusterSpec:
        """The cluster that is made; the smaller, the faster."""
        return example.spec(self.driver())

    def failing(self, cloud: Any, *, at: int = 0, after: bool = False) -> tuple[Any, Failing]:
        """A cloud around ``cloud`` that records its calls, and may die at one; and the record."""
        heat = FailingHeat(cloud.heat, at=at, after=after)
        return FailingCloud(heat), heat

    def part_names(self, cloud: Any, spec: ClusterSpec) -> list[str]:
        """Sorted names of the cluster's parts, each as often as it exists."""
        # For a moment Heat still lists a stack that is gone.
        return sorted(
            view.name
            for view in cloud.heat.list(tags.of_cluster(spec.uuid))
            if view.status != 'DELETE_COMPLETE'
        )

    def planned_names(self, spec: ClusterSpec) -> list[str]:
        """Sorted names of the parts that a plan has."""
        return sorted(part.name for part in self.driver().create_dry_run(spec))

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
        spec = fresh(self.small())
        cloud, record = self.failing(real_cloud)
        assert isinstance(finish(lambda: self.driver().create(cloud, spec)), Done)
        sent = {call.args[0]: call.args[1] for call in record.calls if call.method == 'create'}
        plan = self.driver().create_dry_run(spec)
        assert self.part_names(real_cloud, spec) == self.planned_names(spec)
        assert sent.keys() == {stack.name for stack in plan.stacks}
        outputs = {stack.key: _outputs(real_cloud, stack.name) for stack in plan.stacks}
        for stack in plan.stacks:
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
            found = status.group_addresses.get(group.uuid, ())
            assert len(found) == group.node_count, (
                f'{group.name} of {group.node_count} nodes has the addresses {found}: each group '
                'wants a stack of its node_group, with an output node_addresses (D6)'
            )
        recording, record = self.failing(cloud)
        assert isinstance(self.driver().create(recording, spec), Done)
        if 'update' in self.driver.capabilities:
            assert isinstance(self.driver().update(recording, spec), Done)
        assert not [call for call in record.calls if call.changes]

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
            assert health.status in ('UNHEALTHY', 'UNKNOWN')
        if 'scale_manager' in self.driver.capabilities:
            manager = driver.get_scale_manager(real_cloud, spec)
            assert manager.indexes(spec.worker_groups[0].uuid, []) == ()

    def test_d9_who_can_be_spared_is_a_member_and_no_more_than_are_too_many(
        self, real_cloud: Cloud, fresh: Callable[[ClusterSpec], ClusterSpec]
    ) -> None:
        driver, spec = self.driver(), fresh(example.with_nodes(self.small(), 3))
        uuid = spec.worker_groups[0].uuid

        def spare(nodes: int) -> tuple[int, ...]:
            fewer = example.with_nodes(spec, nodes)
            manager: Any = driver.get_scale_manager(real_cloud, fewer)
            found: tuple[int, ...] = manager.spare(uuid, timeout_s=1)
            return found

        if 'scale_manager' not in self.driver.capabilities or not hasattr(
            driver.get_scale_manager(real_cloud, spec), 'spare'
        ):
            return
        assert spare(1) == ()
        assert isinstance(finish(lambda: driver.create(real_cloud, spec)), Done)
        for nodes in (0, 1, 3, 4):
            assert len(spare(nodes)) <= max(0, 3 - nodes)
            assert set(spare(nodes)) <= {0, 1, 2}

    def test_d9_a_monitor_of_a_silent_cluster_answers_and_changes_nothing(
        self, real_cloud: Cloud
    ) -> None:
        if 'monitor' not in self.driver.capabilities:
            return
        cloud, record = self.failing(real_cloud)
        with socket.create_server(('127.0.0.1', 0)) as silent:  # connects, and says no more
            spec = dataclasses.replace(
                self.small(), api_address=f'https://127.0.0.1:{silent.getsockname()[1]}'
            )
            health = self.driver().get_monitor(cloud, spec).look(timeout_s=0.5)
        assert health.status in ('UNHEALTHY', 'UNKNOWN')
        assert health.reason
        assert all(isinstance(text, str) for pair in health.reason.items() for text in pair)
        assert not [call for call in record.calls if call.changes]

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
                    for s in plan.stacks
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
