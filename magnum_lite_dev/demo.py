"""The demonstration: the life of a Kubernetes cluster, with the real ``openstack`` command."""

import os
import pathlib
import shlex
import shutil
import sys
import tempfile

from magnum_lite_dev import fixture, kubeconfig
from magnum_lite_dev.client import Client, home
from magnum_lite_dev.deployment import Deployment
from magnum_lite_dev.interrupts import INTERRUPTS
from magnum_lite_dev.processes import tail
from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import State
from magnum_lite_dev.trouble import Trouble
from magnum_lite_dev.watch import Watch

WORKERS = 3
CHANGE_WITHIN_S = 300
ANY_PORT = {'api': 0, 'heat': 0, 'cloud': 0}
TEMPLATE = (
    '--coe',
    'kubernetes',
    '--image',
    'debian-13',
    '--external-network',
    'public',
    '--flavor',
    'm1.small',
    '--master-flavor',
    'm1.small',
)


def run(screen, *, state, keep, program, build_seconds) -> int:
    """Run it all; the exit status. Nothing is left running, whatever happens, but for ``keep``.

    :param state: path of the state directory; None makes a temporary one.
    :param program: an ``openstack`` command; None installs one.
    :raises Trouble: the first thing that went wrong.
    """
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
        state.prepare()
        if keep and program and shutil.which(program):
            state.keep_client(shutil.which(program))
        with state.locked():
            client = Client(home(state.directory, is_temporary=temporary), program)
            demo = Demo(screen, state, deployment, client)
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
    if kept:
        screen.line(f'The service goes on at {state.api_url}:', 'good')
        for line in to_go_on(state):
            screen.line(f'  {line}')
    else:
        screen.line('Everything was stopped again.', 'good')
    return 0


def to_go_on(state) -> tuple[str, str]:
    """Lines for any shell: one points the client at what runs, one stops it and deletes it all.

    They name the program by its path: that of ``tox -e demo`` is in nobody's PATH.
    """
    program = shlex.quote(str(pathlib.Path(sys.executable).with_name('magnum-lite-dev')))
    where = f'--state {shlex.quote(str(state.directory))}'
    return f'eval "$({program} env {where})"', f'{program} down --purge {where}'


class Demo:
    """One run of the demonstration over a deployment."""

    def __init__(self, screen, state, deployment, client) -> None:
        self._screen = screen
        self._state = state
        self._deployment = deployment
        self._client = client
        # In a directory that was used before there may be one of the plain name.
        self._name = f'demo-{os.getpid()}' if state.is_used else 'demo'
        self._chapters = []
        self._total = Stopwatch()

    def start(self, build_seconds, ports) -> None:
        """Start the service and make sure of the client."""
        self._chapter('Start a real Heat, a simulated cloud and magnum_lite')
        self._deployment.up(self._screen, ports, build_seconds=build_seconds)
        if not self._client.is_ready:
            self._chapter('Install the openstack command, in an environment of its own')
            self._client.make()
        self._watch = Watch(self._state.api_url, fixture.read_ready(self._state.heat))

    def play(self) -> None:
        """The life of the cluster.

        :raises Trouble: something went wrong.
        """
        before = set(self._watch.leftovers())
        self._chapter('Create a cluster template')
        self._openstack('coe', 'cluster', 'template', 'create', *TEMPLATE, self._name)
        self._chapter('Create a cluster')
        self._openstack(
            'coe',
            'cluster',
            'create',
            '--cluster-template',
            self._name,
            '--keypair',
            'demo',
            '--node-count',
            '1',
            self._name,
        )
        cluster = self._watch.get(f'clusters/{self._name}')
        if cluster is None:
            raise Trouble(f'the service does not know the cluster {self._name}')
        cluster_id = cluster['uuid']
        self._follow(cluster_id, 'CREATE_COMPLETE')
        self._openstack('coe', 'cluster', 'show', self._name)
        self._chapter('Fetch the kubeconfig')
        self._fetch_kubeconfig()
        self._chapter(f'Resize it to {WORKERS} workers')
        self._openstack('coe', 'cluster', 'resize', self._name, str(WORKERS))
        self._follow(cluster_id, 'UPDATE_COMPLETE')
        self._openstack('coe', 'nodegroup', 'list', self._name)
        self._chapter('Read its journal')
        self._show_operations(cluster_id)
        self._chapter('Delete it')
        self._openstack('coe', 'cluster', 'delete', self._name)
        self._follow(cluster_id, None)
        self._openstack('coe', 'cluster', 'template', 'delete', self._name)
        self._check_that_nothing_is_left(before)

    def _check_that_nothing_is_left(self, before) -> None:
        left = set(self._watch.leftovers()) - before
        if left:
            raise Trouble(f'something is left in the cloud: {", ".join(sorted(left))}')
        self._screen.line(
            '  Heat has no stack and the cloud no server, network, router or '
            'address of it any more.',
            'good',
        )

    def summary(self) -> None:
        """Say what was done and how long it took."""
        self._screen.line()
        self._screen.line('What was done', 'head')
        ends = [begun for _, begun in self._chapters[1:]] + [self._total.seconds]
        for (title, begun), ended in zip(self._chapters, ends, strict=True):
            self._screen.line(f'  {ended - begun:6.1f} s  {title}')
        self._screen.line(f'  {self._total.seconds:6.1f} s  in all')
        self._screen.line()

    def _chapter(self, title) -> None:
        self._chapters.append((title, self._total.seconds))
        self._screen.line()
        self._screen.line(f'{len(self._chapters)}. {title}', 'head')

    def _openstack(self, *arguments) -> None:
        self._screen.line(f'$ openstack {shlex.join(arguments)}', 'command')
        status, output = self._client.run(arguments, self._state.api_url)
        for line in output.rstrip().splitlines():
            self._screen.line(f'  {line}')
        if status:
            raise Trouble(f'openstack ended with status {status}')

    def _follow(self, cluster_id, wanted) -> None:
        watch = self._watch.follow(self._screen, cluster_id, wanted, timeout_s=CHANGE_WITHIN_S)
        self._screen.line(f'  {wanted or "gone"} after {watch}', 'good')

    def _fetch_kubeconfig(self) -> None:
        directory = self._state.directory / 'kubeconfig'
        directory.mkdir(exist_ok=True)
        self._openstack('coe', 'cluster', 'config', '--dir', str(directory), '--force', self._name)
        for line in kubeconfig.describe(directory / 'config'):
            self._screen.line(f'  {line}')
        self._screen.line(f'  nodes        {", ".join(kubeconfig.nodes(directory / "config"))}')

    def _show_operations(self, cluster_id) -> None:
        path = f'clusters/{cluster_id}/operations'
        self._screen.line(f'$ curl -H "X-Auth-Token: $OS_TOKEN" "$OS_ENDPOINT/{path}"', 'command')
        for row in self._watch.get(path)['operations']:
            self._screen.line(f'  {row["kind"]:<8}{row["state"]:<9}{row.get("reason") or ""}')
            shown = self._watch.get(f'{path}/{row["uuid"]}') or {}
            for step in shown.get('steps') or []:
                text = step['text'].replace(f'magnum-{cluster_id}-', '')
                self._screen.line(f'    {step["created_at"][11:19]}  {text}', 'dim')
