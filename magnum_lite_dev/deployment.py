"""The two processes of an embedded service, service and Heat: up, down, and how they are."""

import os
import sys
import time

import requests

from magnum_lite_dev import fixture
from magnum_lite_dev.interrupts import INTERRUPTS
from magnum_lite_dev.nodes import leftovers
from magnum_lite_dev.nodes.image import Images
from magnum_lite_dev.processes import Background, tail
from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import TOKEN, is_taken
from magnum_lite_dev.trouble import Trouble

START_WITHIN_S = 60
TIMEOUT_S = 5
OPTIONS = {'api': '--port', 'heat': '--heat-port', 'cloud': '--cloud-port'}


class Deployment:
    """What runs over one :class:`~magnum_lite_dev.state.State`.

    :param lasting: whether the processes stay when the command that started them ends.
    """

    def __init__(self, state, *, lasting=True) -> None:
        self.state = state
        self.heat = Background('heat', state.directory)
        self.api = Background('api', state.directory)
        self._bound = [] if lasting else ['--exit-with', str(os.getpid())]

    @property
    def is_healthy(self) -> bool:
        """Whether both processes run and answer."""
        told = fixture.read_ready(self.state.heat)
        return bool(
            self.heat.pid
            and self.api.pid
            and told
            and fixture.is_healthy(told.heat_url)
            and self.api_is_healthy
        )

    @property
    def api_is_healthy(self) -> bool:
        """Whether the service answers its health check."""
        try:
            return (
                requests.get(f'{self.state.api_url}/healthcheck', timeout=TIMEOUT_S).status_code
                == 200
            )
        except requests.RequestException:
            return False

    def up(self, screen, ports, *, build_seconds) -> None:
        """Start what does not run, wait until all is healthy; nothing to do is fine.

        :param ports: see :meth:`~magnum_lite_dev.state.State.choose_ports`.
        :raises Trouble: a port is taken, a process does not start; with the tail of its log.
            Everything that was started is stopped again.
        """
        if (self.heat.pid or self.api.pid) and any(
            port and port != self.state.ports[name] for name, port in ports.items()
        ):
            raise Trouble('it runs on other ports already: "magnum-lite-dev down" first')
        started = []
        try:
            if not (self.heat.pid and self.api.pid):
                if not (self.heat.pid or self.api.pid):
                    self.state.choose_ports(ports)
                for process, start in ((self.heat, self._start_heat), (self.api, self._start_api)):
                    if process.pid:
                        continue
                    if process.is_stale:
                        screen.line(
                            f'{process.name} had ended without a word; starting it again', 'dim'
                        )
                    started.append(process)
                    watch = Stopwatch()
                    start(build_seconds)
                    screen.line(f'{process.name} answers after {watch}', 'dim')
                self._offer_images()
            if not self.is_healthy:
                raise Trouble('it runs and does not answer: "magnum-lite-dev logs", then "down"')
        except BaseException:
            INTERRUPTS.ignore()
            for process in reversed(started):
                process.stop()
            if self.heat in started:
                self._sweep()
            raise

    def choose_nodes(self, wanted) -> None:
        """Let servers boot or not, ``real`` or ``simulated``; remembered.

        :raises Trouble: the other kind has been used here.
        """
        if wanted == self.state.nodes:
            return
        if self.heat.pid:
            raise Trouble(f'it runs with {self.state.nodes} nodes: "magnum-lite-dev down" first')
        if self.state.is_used:
            raise Trouble(
                f'{self.state.directory} has been used with {self.state.nodes} nodes, whose '
                'addresses stay: choose another --state, or "magnum-lite-dev down --purge"'
            )
        self.state.keep_nodes(wanted)

    def _offer_images(self) -> None:
        if self.state.nodes == 'real':
            for image in Images(self.state.images).list():
                fixture.read_ready(self.state.heat).add_image(
                    image.name, image.directories, **image.properties
                )

    def _sweep(self) -> None:
        """Remove what nodes left whose process was killed."""
        if self.state.nodes == 'real' and not os.geteuid():
            leftovers.sweep(self.state.node_files)

    def _start_heat(self, build_seconds) -> None:
        ports = self.state.ports
        self._check_free('heat', 'cloud')
        output = self.state.heat / 'heat.out'
        self.heat.start(
            [
                sys.executable,
                '-m',
                'magnum_lite_dev.heat_process',
                '--state',
                str(self.state.heat),
                '--port',
                str(ports['heat']),
                '--cloud-port',
                str(ports['cloud']),
                '--build-seconds',
                str(build_seconds),
                '--boots' if self.state.nodes == 'real' else '--loopback',
                *self._bound,
            ],
            output,
        )
        try:
            fixture.wait_until_ready(self.state.heat, self.heat)
        except fixture.HeatDidNotStart as error:
            raise Trouble(str(error)) from error

    def _start_api(self, build_seconds) -> None:
        self._check_free('api')
        heat = fixture.read_ready(self.state.heat)
        is_real = self.state.nodes == 'real'
        url = heat.open_door(self.state.ports['api']) if is_real else None
        self.state.write_service_conf(heat.catalog, url)
        log = self.state.logs['api']
        self.api.start(
            [
                sys.executable,
                '-m',
                'magnum_lite_dev.service',
                *self._bound,
                '--config-file',
                str(self.state.service_conf),
            ],
            log,
        )
        deadline = time.monotonic() + START_WITHIN_S
        while not self.api_is_healthy:
            if self.api.poll() is not None:
                raise Trouble(f'the service ended:\n{tail(log, 30)}')
            if time.monotonic() > deadline:
                raise Trouble(
                    f'the service does not answer after {START_WITHIN_S} s:\n{tail(log, 30)}'
                )
            time.sleep(0.1)

    def _check_free(self, *names) -> None:
        for name in names:
            port = self.state.ports[name]
            if is_taken(port):
                raise Trouble(
                    f'port {port} is in use by another program: choose one with '
                    f'{OPTIONS[name]}, or "auto"'
                )

    def down(self) -> list[str]:
        """Stop both; the names of those that ran."""
        processes = (self.api, self.heat)
        # Both at once: each may take seconds over what it is doing.
        ran = [process.name for process in processes if process.ask_to_stop()]
        for process in processes:
            process.stop()
        self._sweep()
        return ran

    def clusters(self) -> dict[str, int]:
        """{status: how many clusters of the demo project}; {} when the service does not answer."""
        try:
            reply = requests.get(
                f'{self.state.api_url}/v1/clusters',
                timeout=TIMEOUT_S,
                headers={'X-Auth-Token': TOKEN},
            )
            rows = reply.json().get('clusters', []) if reply.status_code == 200 else []
        except requests.RequestException:
            return {}
        found = {}
        for row in rows:
            found[row['status']] = found.get(row['status'], 0) + 1
        return found
