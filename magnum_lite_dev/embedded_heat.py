"""A real Heat, API and engine, in one process beside the simulated cloud it builds in.

Heat keeps its configuration, its clients and its registry in globals: one :class:`EmbeddedHeat`
per process, which is ``heat_process``.
"""

import ipaddress
import json
import os
import pathlib
import threading
import zlib
from collections.abc import Iterable
from typing import Self

from oslo_service import backend

# Before anything imports heat or oslo_service.service: the choice is made once per process, and
# the default is eventlet.
backend.init_backend(backend.BackendType.THREADING)

import oslo_log.log  # noqa: E402
from heat import version  # noqa: E402
from heat.common import config, context, messaging  # noqa: E402
from heat.db import migration  # noqa: E402
from heat.engine import service, template  # noqa: E402
from heat.rpc import api as rpc_api  # noqa: E402
from keystonemiddleware import auth_token  # noqa: E402
from oslo_config import cfg  # noqa: E402

from magnum_lite_dev import heat_identity, heat_settings, tuning  # noqa: E402
from magnum_lite_dev.nodes import doors, edge, namespace  # noqa: E402
from magnum_lite_dev.nodes.fleet import Fleet  # noqa: E402
from magnum_lite_dev.server import Server  # noqa: E402
from magnum_lite_dev.sim_cloud import SimCloud  # noqa: E402

TOPICS = 'notifications,magnum_lite_heat'
THREADS = 400
SAVE_EVERY_S = 2
READY_FILE = 'heat.json'
NODES = 'nodes'


class EmbeddedHeat:
    """Heat and its cloud over one state directory, which a later process can take up again.

    :param state: directory for databases, configuration and logs.
    :param port: of Heat's API; 0 takes the one this directory had before, else a free one, since
        stacks remember the URL their nodes signal to.
    :param cloud_port: of the simulated cloud, chosen likewise.
    :param transport_url: the broker for ``orchestration.stack.*``; ``fake://`` sends none.
    :param topics: the notification topics, comma-separated.
    :param quick: shorten Heat's own pauses of a second.
    :param loopback: a fresh cloud takes floating IPs of 127.0.0.0/8, where the Kubernetes APIs of
        its clusters answer.
    :param keystone_url: of a Keystone that vouches for callers; None believes them.
    :param retries: how often Heat makes a server again that went to ERROR.
    :param boots: whether servers boot whose image has a directory; takes Linux and root.
    """

    def __init__(
        self,
        state,
        *,
        port=0,
        cloud_port=0,
        build_seconds=0.2,
        transport_url='fake://',
        topics=TOPICS,
        quick=True,
        debug=False,
        loopback=False,
        keystone_url=None,
        retries=0,
        boots=False,
    ) -> None:
        self.state = pathlib.Path(state).resolve()
        cidr = {'external_cidr': _loopback_cidr(self.state)} if loopback else {}
        if boots:
            cidr = {'external_cidr': edge.free_range(namespace.tag(self.state / NODES))}
        self.cloud = SimCloud(build_seconds=build_seconds, **cidr)
        self.catalog = {}
        self._ports = (port, cloud_port)
        self._transport_url = transport_url
        self._topics = topics
        self._quick = quick
        self._debug = debug
        self._keystone_url = keystone_url
        self._retries = retries
        self._boots = boots
        self._fleet = None
        self._stopping = threading.Event()

    def start(self) -> Self:
        """Start everything; the object itself. Returns when Heat answers.

        :raises OSError: a port is taken.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        port, cloud_port = self._remembered_ports()
        self.cloud.store.load(self.state / 'cloud.json')
        if self._boots:
            self._fleet = self.cloud.nodes.fleet = Fleet(self.state / NODES, self.cloud.store)
            self._fleet.open()
        self._cloud = self.cloud
        self._cloud_server = Server(
            lambda environ, start: self._cloud(environ, start), cloud_port, name='sim-cloud'
        )
        self._api = _starting
        self._api_server = Server(
            lambda environ, start: self._api(environ, start), port, name='heat-api', threads=32
        )
        self._describe()
        self._configure()
        if self._keystone_url:
            # Whoever Keystone does not know is still answered: nodes have no token yet.
            self._cloud = auth_token.AuthProtocol(self.cloud, {'delay_auth_decision': True})
        self._start_engine()
        self._api = config.load_paste_app('heat-api')
        self.cloud.nodes.resume()
        threading.Thread(target=self._keep_saving, name='saver', daemon=True).start()
        self._announce()
        return self

    def _remembered_ports(self) -> tuple[int, int]:
        before = {}
        if (self.state / READY_FILE).exists():
            before = json.loads((self.state / READY_FILE).read_text())
        return (
            self._ports[0] or before.get('port', 0),
            self._ports[1] or before.get('cloud_port', 0),
        )

    def _describe(self) -> None:
        self.url, self.cloud_url = self._api_server.url, self._cloud_server.url
        self.catalog = {
            'orchestration': f'{self.url}/v1/%(project_id)s',
            'compute': f'{self.cloud_url}/compute/v2.1',
            'network': f'{self.cloud_url}/network',
            'image': f'{self.cloud_url}/image',
            'load-balancer': f'{self.cloud_url}/load-balancer',
            'block-storage': f'{self.cloud_url}/volume/v3/%(project_id)s',
        }
        around = heat_identity.Surroundings
        around.catalog = {**self.catalog, 'volumev3': self.catalog['block-storage']}
        around.store = self.cloud.store
        around.identity_url = f'{self.cloud_url}/identity/v3'
        self._signal_url = self.url
        if self._boots:
            # What is in user data must be reached from nodes.
            self._open_doors(around)

    def _open_doors(self, around) -> None:
        fleet = self._fleet
        fleet.doors.open(self._api_server.port, doors.SIGNALS)
        fleet.doors.open(self._cloud_server.port, doors.TOKENS)
        self._signal_url = f'http://{fleet.address}:{self._api_server.port}'
        around.identity_url = f'http://{fleet.address}:{self._cloud_server.port}/identity/v3'

    def _configure(self) -> None:
        path = heat_settings.write(
            self.state,
            signal_url=self._signal_url,
            threads=THREADS,
            transport_url=self._transport_url,
            topics=self._topics,
            keystone_url=self._keystone_url,
            retries=self._retries,
        )
        conf = cfg.CONF
        oslo_log.log.register_options(conf)
        conf(
            ['--config-file', str(path), *(['--debug'] if self._debug else [])],
            project='heat',
            prog='magnum-lite-dev-heat',
            version=version.version_info.version_string(),
        )
        oslo_log.log.setup(conf, 'heat')
        config.set_config_defaults()
        tuning.sqlite_writers()
        tuning.fake_transport()
        tuning.forgetful_thread_groups()
        tuning.reused_threads()
        tuning.one_literal_at_a_time()
        tuning.one_expression_at_a_time()
        if self._quick:
            tuning.short_pauses()
        messaging.setup()
        if not self._keystone_url:
            context.RequestContext.trusts_auth_plugin = property(heat_identity.trusts_auth_plugin)

    def _start_engine(self) -> None:
        migration.db_sync()
        tuning.stable_property_ids(self.state / 'heat.sqlite')
        tuning.end_interrupted_work(self.state / 'heat.sqlite')
        # Loaded now, because the first two requests at once would both load it.
        template._get_template_extension_manager()
        self._engine = service.EngineService(cfg.CONF.host, rpc_api.ENGINE_TOPIC)
        self._engine.start()

    def _keep_saving(self) -> None:
        saved = None
        while not self._stopping.wait(SAVE_EVERY_S):
            changes = self.cloud.store.changes
            if changes != saved:
                self.cloud.store.save(self.state / 'cloud.json')
                saved = changes

    def _announce(self) -> None:
        fresh = self.state / f'{READY_FILE}.new'
        fresh.write_text(
            json.dumps(
                {
                    'pid': os.getpid(),
                    'port': self._api_server.port,
                    'heat_url': self.url,
                    'cloud_port': self._cloud_server.port,
                    'cloud_url': self.cloud_url,
                    'catalog': self.catalog,
                },
                indent=2,
            )
        )
        fresh.replace(self.state / READY_FILE)

    def stop(self) -> None:
        """Stop answering, let the engine end what it is doing, and save the cloud."""
        self._stopping.set()
        if self._fleet:
            # First: what nodes still say while they end is no news.
            self._fleet.close()
        self._api_server.close()
        # Twice: the engine may not end in time, and what it still does should not be lost.
        self.cloud.store.save(self.state / 'cloud.json')
        self._engine.stop()
        self._cloud_server.close()
        self.cloud.store.save(self.state / 'cloud.json')


def _loopback_cidr(state) -> str:
    """A part of 127.0.0.0/8 that other clouds of this machine hardly take, as text."""
    parts = list(ipaddress.ip_network('127.0.0.0/8').subnets(new_prefix=20))
    # The first has 127.0.0.1.
    return str(parts[1 + zlib.crc32(str(state).encode()) % (len(parts) - 1)])


def _starting(environ, start_response) -> Iterable[bytes]:
    start_response('503 Service Unavailable', [('Content-Length', '0'), ('Retry-After', '1')])
    return [b'']
