"""The demonstration: the life of a cluster, with the real ``openstack`` command."""

import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import time
from typing import Any

from magnum_lite_dev import fixture, image_commands
from magnum_lite_dev.client import Client, home
from magnum_lite_dev.deployment import Deployment
from magnum_lite_dev.interrupts import INTERRUPTS
from magnum_lite_dev.nodes import fleet, recipe
from magnum_lite_dev.processes import tail
from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import State, beside_program
from magnum_lite_dev.trouble import Trouble
from magnum_lite_dev.watch import PAUSE_S, Watch

ANY_PORT = {'api': 0, 'heat': 0, 'cloud': 0}
TEMPLATE = (
    '--external-network',
    'public',
    '--flavor',
    'm1.small',
    '--master-flavor',
    'm1.small',
)


def run(screen, tenant, *, state, keep, program, build_seconds) -> int:
    """Run it all; the exit status. Nothing is left running, whatever happens, but for ``keep``.

    :param tenant: whose cluster is shown, see :mod:`magnum_lite_dev.tenants`.
    :param state: path of the state directory; None makes a temporary one.
    :param program: an ``openstack`` command; None installs one.
    :raises Trouble: the first thing that went wrong.
    """
    if missing := tenant.lacks():
        raise Trouble(f'the demonstration cannot run on this machine: {"; ".join(missing)}')
    temporary = state is None
    state = State(state or tempfile.mkdtemp(prefix='magnum-lite-demo-'))
    deployment = Deployment(state, lasting=keep)
    if deployment.heat.pid or deployment.api.pid:
        raise Trouble(
            f'a service runs in {state.directory}: the demonstration would stop it. '
            'Choose another --state'
        )
    kept = False
    try:
        _prepare(state, deployment, tenant, is_temporary=temporary)
        if keep and program and shutil.which(program):
            state.keep_client(shutil.which(program))
        with state.locked():
            client = Client(home(state.directory, is_temporary=temporary), program)
            demo = Demo(screen, tenant, state, deployment, client)
            demo.start(build_seconds, ANY_PORT if temporary else {})
            try:
                demo.play()
            except Trouble:
                screen.line()
                screen.line(tail(state.logs['api'], 20), 'dim')
                raise
        kept = keep
        demo.summary()
    finally:
        if not kept:
            INTERRUPTS.ignore()
            deployment.down()
            if temporary:
                shutil.rmtree(state.directory, ignore_errors=True)
    _say_goodbye(screen, state if kept else None)
    return 0


def _prepare(state, deployment, tenant, *, is_temporary) -> None:
    """Make the state directory, for the nodes of the tenant."""
    if tenant.nodes == 'real':
        fleet.check_path(state.directory)
    state.prepare()
    deployment.choose_nodes(tenant.nodes)
    if tenant.nodes == 'real' and is_temporary and (shared := beside_program('node-images')):
        shared.mkdir(exist_ok=True)
        state.images.symlink_to(shared)


def _say_goodbye(screen, state) -> None:
    """:param state: where the service goes on; None where it does not."""
    if state is None:
        screen.line('Everything was stopped again.', 'good')
        return
    screen.line(f'The service goes on at {state.api_url}:', 'good')
    for line in to_go_on(state):
        screen.line(f'  {line}')


def to_go_on(state) -> tuple[str, str]:
    """Lines for any shell: one points the client at what runs, one stops it and deletes it all.

    They name the program by its path: that of ``tox -e demo`` is in nobody's PATH.
    """
    program = shlex.quote(str(pathlib.Path(sys.executable).with_name('magnum-lite-dev')))
    where = f'--state {shlex.quote(str(state.directory))}'
    return f'eval "$({program} env {where})"', f'{program} down --purge {where}'


class Demo:
    """One run of the demonstration over a deployment.

    :ivar name: of the template and of the cluster.
    """

    def __init__(self, screen, tenant, state, deployment, client) -> None:
        self.screen = screen
        self._tenant = tenant
        self._state = state
        self._deployment = deployment
        self._client = client
        # In a directory that was used before there may be one of the plain name.
        self.name = f'demo-{os.getpid()}' if state.is_used else 'demo'
        self._chapters = []
        self._total = Stopwatch()

    @property
    def heat(self) -> fixture.RunningHeat:
        """Where the cluster is built."""
        return fixture.read_ready(self._state.heat)

    def start(self, build_seconds, ports) -> None:
        """Start the service, and make sure of the client and of an image that boots."""
        if self._tenant.nodes == 'real':
            self.chapter('Make the image that servers boot from, of Debian packages')
            image_commands.build(self.screen, self._state, recipe.read(self._tenant.image))
        self.chapter('Start a real Heat, a simulated cloud and magnum_lite')
        self._deployment.up(self.screen, ports, build_seconds=build_seconds)
        if not self._client.is_ready:
            self.chapter('Install the openstack command, in an environment of its own')
            self._client.make()
        self._watch = Watch(self._state.api_url, self.heat)

    def play(self) -> None:
        """The life of the cluster.

        :raises Trouble: something went wrong.
        """
        first, most = self._tenant.workers
        before = set(self._watch.leftovers())
        self.chapter('Create a cluster template')
        template = ('--coe', self._tenant.coe, '--image', self._tenant.image, *TEMPLATE)
        self.openstack('coe', 'cluster', 'template', 'create', *template, self.name)
        self.chapter('Create a cluster')
        asked = ('--cluster-template', self.name, '--keypair', 'demo', '--node-count', str(first))
        self.openstack('coe', 'cluster', 'create', *asked, self.name)
        cluster_id = self.cluster()['uuid']
        self._follow(cluster_id, 'CREATE_COMPLETE')
        self.openstack('coe', 'cluster', 'show', self.name)
        self._tenant.configure(self)
        self.chapter(f'Resize it to {most} workers')
        self.openstack('coe', 'cluster', 'resize', self.name, str(most))
        self._follow(cluster_id, 'UPDATE_COMPLETE')
        self.openstack('coe', 'nodegroup', 'list', self.name)
        self.chapter('Read its journal')
        self._show_operations(cluster_id)
        self._tenant.use(self)
        self.chapter('Delete it')
        self.openstack('coe', 'cluster', 'delete', self.name)
        self._follow(cluster_id, None)
        self.openstack('coe', 'cluster', 'template', 'delete', self.name)
        self._check_that_nothing_is_left(before)

    def cluster(self) -> dict[str, Any]:
        """What the service says of the cluster.

        :raises Trouble: it knows none.
        """
        cluster = self._watch.get(f'clusters/{self.name}')
        if cluster is None:
            raise Trouble(f'the service does not know the cluster {self.name}')
        return cluster

    def folder(self, name) -> pathlib.Path:
        """A directory for files of the tenant's client."""
        path = self._state.directory / name
        path.mkdir(exist_ok=True)
        return path

    def _check_that_nothing_is_left(self, before) -> None:
        left = set(self._watch.leftovers()) - before
        if left:
            raise Trouble(f'something is left in the cloud: {", ".join(sorted(left))}')
        self.screen.line(
            '  Heat has no stack and the cloud no server, network, router or '
            'address of it any more.',
            'good',
        )

    def summary(self) -> None:
        """Say what was done and how long it took."""
        self.screen.line()
        self.screen.line('What was done', 'head')
        ends = [begun for _, begun in self._chapters[1:]] + [self._total.seconds]
        for (title, begun), ended in zip(self._chapters, ends, strict=True):
            self.screen.line(f'  {ended - begun:6.1f} s  {title}')
        self.screen.line(f'  {self._total.seconds:6.1f} s  in all')
        self.screen.line()

    def chapter(self, title) -> None:
        """Begin one; its seconds stand in the summary."""
        self._chapters.append((title, self._total.seconds))
        self.screen.line()
        self.screen.line(f'{len(self._chapters)}. {title}', 'head')

    def openstack(self, *arguments) -> str:
        """Run a command before the reader's eyes; what it prints.

        :raises Trouble: it failed.
        """
        return self.shown(
            'openstack', arguments, lambda: self._client.run(arguments, self._state.api_url)
        )

    def shown(self, program, words, run) -> str:
        """The output of a command, which the reader sees too.

        :param run: answers (exit status, output).
        :raises Trouble: it failed.
        """
        self.screen.line(f'$ {program} {shlex.join(words)}', 'command')
        status, output = run()
        for line in output.rstrip().splitlines():
            self.screen.line(f'  {line}')
        if status:
            raise Trouble(f'{program} ended with status {status}')
        return output

    def wait(self, unit, look) -> None:
        """Show progress until all are there.

        :param unit: what is counted.
        :param look: answers (how many there are, how many there will be).
        :raises Trouble: they are not within the time of the tenant.
        """
        watch = Stopwatch()
        while True:
            done, total = look()
            if done == total:
                break
            if watch.seconds > self._tenant.within_s:
                raise Trouble(f'{done} of {total} {unit} after {watch}')
            self.screen.progress(done, total, unit, f'{done} of {total} {unit}', watch)
            time.sleep(PAUSE_S)

    def _follow(self, cluster_id, wanted) -> None:
        within_s = self._tenant.within_s
        watch = self._watch.follow(self.screen, cluster_id, wanted, timeout_s=within_s)
        self.screen.line(f'  {wanted or "gone"} after {watch}', 'good')

    def _show_operations(self, cluster_id) -> None:
        path = f'clusters/{cluster_id}/operations'
        self.screen.line(f'$ curl -H "X-Auth-Token: $OS_TOKEN" "$OS_ENDPOINT/{path}"', 'command')
        for row in self._watch.get(path)['operations']:
            self.screen.line(f'  {row["kind"]:<8}{row["state"]:<9}{row.get("reason") or ""}')
            shown = self._watch.get(f'{path}/{row["uuid"]}') or {}
            for step in shown.get('steps') or []:
                text = step['text'].replace(f'magnum-{cluster_id}-', '')
                self.screen.line(f'    {step["created_at"][11:19]}  {text}', 'dim')
