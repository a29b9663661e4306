"""The state directory of an embedded service: what is where, which ports, which settings."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import socket
import sys
from collections.abc import Iterator
from typing import Any

from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.server import LOOPBACK
from magnum_lite_dev.trouble import Trouble

DEFAULT_PORTS = {'api': 9511, 'heat': 18004, 'cloud': 0}
TOKEN = 'demo:demo:member,reader'  # noqa: S105 - the development identity has no secrets
SERVICE_CONF = """\
# Written by magnum-lite-dev; changed again by the next "up".
[DEFAULT]
transport_url = fake://
host = embedded
[database]
connection = sqlite:///{state}/service.sqlite
[api]
bind_host = 127.0.0.1
port = {port}
[identity]
mode = development
[development]
catalog = {catalog}
[secrets]
key_file = {state}/secrets.key
[conductor]
poll_min_s = 0.25
poll_max_s = 2
[health]
interval_s = 30
# The APIs of simulated clusters are on loopback.
denied_networks =
"""


class State:
    """One state directory; nothing is made before :meth:`prepare`."""

    def __init__(self, directory) -> None:
        self.directory = pathlib.Path(directory).expanduser().resolve()
        self.heat = self.directory / 'heat'
        self.images = self.directory / 'images'
        self.node_files = self.heat / 'nodes'
        self.service_conf = self.directory / 'service.conf'
        self.logs = {'api': self.directory / 'api.log', 'heat': self.heat / 'heat.log'}
        self._settings = self.directory / 'settings.json'

    @property
    def is_prepared(self) -> bool:
        """Whether this directory was made by ``up``."""
        return self._settings.exists()

    @property
    def is_used(self) -> bool:
        """Whether a service has run here before."""
        return (self.directory / 'service.sqlite').exists()

    def prepare(self) -> None:
        """Make the directory and the key that seals secrets.

        :raises Trouble: not a directory, or one that holds something else.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            occupied = not self.is_prepared and any(self.directory.iterdir())
        except OSError as error:
            raise Trouble(f'the state directory cannot be made: {error}') from error
        if occupied:
            raise Trouble(
                f'{self.directory} is not empty and holds no embedded service: choose '
                'another --state'
            )
        self.heat.mkdir(exist_ok=True)
        key = self.directory / 'secrets.key'
        if not key.exists():
            keyfile.put_first(str(key), new_key())
        if not self.is_prepared:
            self._write({'ports': DEFAULT_PORTS})

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one command at a time changes what runs here.

        :raises Trouble: another one is at it.
        """
        with (self.directory / 'lock').open('w') as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Trouble(
                    f'another command is working in {self.directory}; wait for it'
                ) from error
            yield

    @property
    def ports(self) -> dict[str, int]:
        """{'api', 'heat', 'cloud': port}; 0 is one not chosen yet.

        :raises Trouble: the settings are broken.
        """
        return self._read(
            lambda settings: {name: int(settings['ports'][name]) for name in DEFAULT_PORTS},
            dict(DEFAULT_PORTS),
        )

    @property
    def client(self) -> str | None:
        """Path of the ``openstack`` command that was given last; None for an installed one.

        :raises Trouble: the settings are broken.
        """
        return self._read(lambda settings: settings.get('client'), None)

    @property
    def nodes(self) -> str:
        """``real`` where servers boot, else ``simulated``.

        :raises Trouble: the settings are broken.
        """
        return self._read(lambda settings: settings.get('nodes'), None) or 'simulated'

    def keep_nodes(self, nodes) -> None:
        """Remember whether servers boot."""
        self._keep(nodes=nodes)

    def keep_client(self, program) -> None:
        """Remember an ``openstack`` command that was given."""
        self._keep(client=str(pathlib.Path(program).absolute()))

    def _keep(self, **changed) -> None:
        now = {'ports': self.ports, 'client': self.client, 'nodes': self.nodes}
        self._write({**now, **changed})

    def choose_ports(self, wanted) -> None:
        """Take over what ``wanted`` says and choose a free port wherever it is 0; remembered.

        :param wanted: {name: port}; a name that is missing keeps its port.
        """
        ports = {**self.ports, **wanted}
        for name, port in ports.items():
            if port == 0:
                ports[name] = free_port()
        self._keep(ports=ports)

    def write_service_conf(self, catalog, enrolment_url=None) -> None:
        """Write the service's configuration file for this catalog (service type: URL).

        :param enrolment_url: where nodes that boot reach the service.
        """
        self.service_conf.write_text(
            SERVICE_CONF.format(
                state=self.directory,
                port=self.ports['api'],
                catalog=','.join(f'{kind}:{url}' for kind, url in sorted(catalog.items())),
            )
            + (f'[enrolment]\npublic_url = {enrolment_url}\n' if enrolment_url else '')
        )

    @property
    def api_url(self) -> str:
        """The service's own address, without /v1."""
        return f'http://{LOOPBACK}:{self.ports["api"]}'

    def purge(self) -> None:
        """Delete the directory.

        :raises Trouble: it was not made by ``up``.
        """
        if not self.is_prepared:
            raise Trouble(f'{self.directory} holds no embedded service: nothing is deleted')
        shutil.rmtree(self.directory)

    def _read(self, choose, default) -> Any:
        """What ``choose`` takes of the settings; ``default`` where there are none."""
        try:
            return choose(json.loads(self._settings.read_text()))
        except FileNotFoundError:
            return default
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Trouble(
                f'{self._settings} is broken ({error!r}); "down --purge" starts anew'
            ) from error

    def _write(self, settings) -> None:
        fresh = self._settings.with_suffix('.new')
        fresh.write_text(json.dumps(settings, indent=2))
        fresh.replace(self._settings)


def beside_program(name) -> pathlib.Path | None:
    """A directory that outlives states, where the next run finds it; None where none may be made.

    It is in the environment of this program, if that is one of its own.
    """
    is_own = sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK)
    return pathlib.Path(sys.prefix) / name if is_own else None


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def is_taken(port) -> bool:
    """Whether somebody listens on that port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False
