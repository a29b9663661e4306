"""An embedded Heat as a process of its own, for tests and for ``magnum-lite-dev``."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import requests

from magnum_lite_dev.nodes import leftovers
from magnum_lite_dev.nodes.inside import Inside
from magnum_lite_dev.processes import QUIET, tail

START_WITHIN_S = 90
STOP_WITHIN_S = 20
TIMEOUT_S = 10
# Heat and its cloud share one process: where it has much to do, nobody is served for a while.
CONTROL_S = 120
READY_FILE = 'heat.json'


class HeatDidNotStart(RuntimeError):
    """The embedded Heat ended or stayed silent; the text ends with the tail of its log."""


@dataclasses.dataclass(frozen=True)
class RunningHeat:
    """A Heat that answers, with its simulated cloud.

    ``catalog`` is {service type: URL template}, as ``[development] catalog`` wants it; ``log`` is
    the path of the log.
    """

    heat_url: str
    cloud_url: str
    catalog: dict
    log: pathlib.Path
    pid: int

    def fault(self, **fault) -> Any:
        """Order a fault, see :meth:`magnum_lite_dev.sim_cloud.faults.Faults.add`."""
        return self._control('POST', 'faults', fault)

    def clear_faults(self) -> None:
        """Take back every fault."""
        self._control('DELETE', 'faults')

    def state(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Everything in the cloud: {table: {id: row}}."""
        return self._control('GET', 'state')

    def counts(self, *, reset=False) -> dict[str, int]:
        """{``METHOD /service/path``: how many requests since the last reset}."""
        return self._control('DELETE' if reset else 'GET', 'counts')

    def settings(self, **seconds) -> dict[str, float]:
        """Change ``build_seconds``, ``delete_seconds``, ``signal_seconds``; all of them."""
        return self._control('POST', 'settings', seconds)

    def add_image(self, name, directories, **properties) -> None:
        """Let servers of an image boot, of a new one if there is none of the name.

        :param directories: that they boot from, the uppermost first.
        """
        body = {'name': name, 'directories': list(map(str, directories)), 'properties': properties}
        self._control('POST', 'images', body)

    def open_door(self, port, path='/v1/enrolments(/.*)?') -> str:
        """Let nodes reach paths of a port on loopback; the URL at which they do.

        :param path: an expression for the whole path.
        """
        told = self._control('POST', 'doors', {'port': port, 'path': path})
        return f'http://{told["address"]}:{port}'

    def node(self, name) -> Inside:
        """The node of the server of that name, to run commands in and to read files of.

        :raises KeyError: no server has the name.
        """
        for row in self.state().get('servers', {}).values():
            if row['name'] == name:
                return Inside(name, self.log.parent / 'nodes' / row['id'])
        raise KeyError(name)

    def _control(self, method, what, body=None) -> Any:
        reply = requests.request(
            method, f'{self.cloud_url}/sim/{what}', json=body, timeout=CONTROL_S
        )
        if reply.status_code >= 400:
            raise ValueError(reply.text)
        return reply.json()


@contextlib.contextmanager
def running_heat(
    state,
    *,
    transport_url=None,
    build_seconds=0.05,
    port=0,
    cloud_port=0,
    topics=None,
    python=sys.executable,
    debug=False,
    loopback=False,
    keystone_url=None,
    retries=0,
    boots=False,
) -> Iterator[RunningHeat]:
    """Start an embedded Heat over a state directory and stop it at the end.

    :param state: directory; one that was used before is taken up again, ports included.
    :param transport_url: broker for notifications; None sends none.
    :param topics: notification topics, comma-separated.
    :param python: an interpreter in whose environment Heat is installed.
    :param loopback: floating IPs of 127.0.0.0/8, where the Kubernetes APIs of clusters answer.
    :param keystone_url: of a Keystone that vouches for callers; None believes them.
    :param retries: how often Heat makes a server again that went to ERROR.
    :param boots: whether servers boot whose image has a directory, see
        :meth:`RunningHeat.add_image`; takes Linux and root.
    :returns: context manager with a :class:`RunningHeat`.
    :raises HeatDidNotStart: with the tail of the log.
    """
    options = _options(
        {
            'state': state,
            'port': port,
            'cloud-port': cloud_port,
            'build-seconds': build_seconds,
            'exit-with': os.getpid(),
            'retries': retries,
            'transport-url': transport_url,
            'notification-topics': topics,
            'keystone-url': keystone_url,
        },
        debug=debug,
        loopback=loopback,
        boots=boots,
    )
    state = pathlib.Path(state)
    process = _start(state, python, options)
    try:
        yield wait_until_ready(state, process)
    finally:
        _stop(process)
        if boots:
            leftovers.purge(state / 'nodes')


def _start(state, python, options) -> subprocess.Popen:
    state.mkdir(parents=True, exist_ok=True)
    with (state / 'heat.out').open('ab') as log:
        return subprocess.Popen(  # noqa: S603 - our own module, no shell
            [python, '-m', 'magnum_lite_dev.heat_process', *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=QUIET,
        )


def _options(values, **flags) -> list[str]:
    """Words of a command line; what is not given is left out."""
    words = [f'--{name}={value}' for name, value in values.items() if value not in (None, '')]
    return words + [f'--{name}' for name, is_set in flags.items() if is_set]


def wait_until_ready(state, process, *, within_s=START_WITHIN_S) -> RunningHeat:
    """The :class:`RunningHeat` of that process, once it answers.

    :param process: anything with ``pid`` and ``poll()``.
    :raises HeatDidNotStart: the process ended, or did not answer in time.
    """
    state = pathlib.Path(state)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise HeatDidNotStart(f'the embedded Heat ended:\n{_logs(state)}')
        ready = read_ready(state)
        if ready and ready.pid == process.pid and is_healthy(ready.heat_url):
            return ready
        time.sleep(0.1)
    raise HeatDidNotStart(f'no answer within {within_s} s:\n{_logs(state)}')


def read_ready(state) -> RunningHeat | None:
    """The :class:`RunningHeat` that the directory tells of, running or not; None without."""
    try:
        told = json.loads((pathlib.Path(state) / READY_FILE).read_text())
    except (OSError, ValueError):
        return None
    return RunningHeat(
        heat_url=told['heat_url'],
        cloud_url=told['cloud_url'],
        catalog=told['catalog'],
        pid=told['pid'],
        log=pathlib.Path(state) / 'heat.log',
    )


def is_healthy(heat_url) -> bool:
    """Whether Heat's API answers its version document; behind Keystone it wants a token for it."""
    try:
        return requests.get(heat_url, timeout=TIMEOUT_S).status_code in (200, 300, 401)
    except requests.RequestException:
        return False


def _logs(state) -> str:
    return '\n'.join(tail(state / name, 30) for name in ('heat.out', 'heat.log'))


def _stop(process) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
