"""The whole service, with a door before each of its parts."""

import contextlib
import dataclasses
import os
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import sqlalchemy as sa

from magnum_lite_dev.fixture import running_heat
from tests.service.deployment import deployment, mariadb, vhost
from tools.chaos import world
from tools.chaos.door import Door
from tools.chaos.ear import listening
from tools.chaos.http_door import HttpDoor
from tools.chaos.victim import Api, Conductor, DoorVictim

BROKER = os.environ.get('MAGNUM_LITE_TEST_RABBITMQ', 'rabbit://guest:guest@127.0.0.1:5672')
SERVERS = {
    'mariadb': os.environ.get('MAGNUM_LITE_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1:3306'),
    'postgresql': os.environ.get('MAGNUM_LITE_TEST_POSTGRESQL',
                                 'postgresql+psycopg://postgres@127.0.0.1:5432')}
LEASE_S = 12
CONDUCTORS = 2
TARGETS = ('heat', 'database', 'broker', 'api', 'conductor-0', 'conductor-1', 'api-worker')


@dataclass
class Stage:
    """What runs.

    :ivar url: of the API, through its door.
    :ivar doors: {name: a door that the nemesis can hurt}; ``processes`` likewise.
    :ivar doubling: [(begin, end)] of past faults that may double a notification.
    """

    service: object
    heat: object
    engine: sa.Engine
    ear: object
    url: str
    doors: dict
    processes: dict
    _before: dict
    doubling: list = field(default_factory=list)

    def look(self, projects):
        """A ``World`` of some projects, past all doors."""
        cloud = self.heat.state()
        tokens = {project: self.service.token(project) for project in projects}
        return world.World(
            rows=world.rows(self.engine), servers=world.servers(cloud),
            cloud=world.sizes(cloud) - self._before,
            stacks={project: world.stacks(self.heat, token, project)
                    for project, token in tokens.items()}, heard=list(self.ear.heard),
            doubling=list(self.doubling))


@contextlib.contextmanager
def stage(path, database, say):
    """Start everything; stopped at the end.

    :param path: an empty directory for all files.
    :param database: a key of ``SERVERS``.
    :param say: gets a line for what cannot be hurt here.
    :returns: context manager with a ``Stage``.
    """
    for folder in ('heat', 'service'):
        (path / folder).mkdir()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        broker = enter(vhost(BROKER))
        server = enter(_database(SERVERS[database], database))
        heat = enter(running_heat(path / 'heat', transport_url=broker, topics='magnum_lite_heat'))
        ear = enter(listening(broker))
        heat_door, heat_url = _before(enter, HttpDoor, heat.heat_url)
        database_door, database_url = _before(enter, Door, server)
        broker_door, broker_url = _before(enter, Door, broker)
        catalog = {name: url.replace(heat.heat_url, heat_url)
                   for name, url in heat.catalog.items()}
        service = enter(deployment(
            path / 'service', dataclasses.replace(heat, catalog=catalog), database=database_url,
            broker=broker_url, conductors=CONDUCTORS, lease_s=LEASE_S,
            notifications='messagingv2'))
        api_door, api_url = _before(enter, HttpDoor, service.url)
        engine = sa.create_engine(server)
        stack.callback(engine.dispose)
        conductors = {f'conductor-{number}': Conductor(service, f'conductor-{number}')
                      for number in range(CONDUCTORS)}
        say('NO CLOCK JUMPS: under libfaketime the sleeps or waits of Python fail')
        doors = {'heat': heat_door, 'database': database_door, 'broker': broker_door,
                 # A creation that arrives twice is two clusters, as the interface says.
                 'api': api_door}
        yield Stage(service, heat, engine, ear, api_url,
                    {name: DoorVictim(door, ('double',) if name == 'api' else ())
                     for name, door in doors.items()},
                    {**conductors, 'api-worker': Api(service)}, world.sizes(heat.state()))


def _before(enter, kind, url):
    """(a door before the service of a URL, the URL through it)."""
    where = urlsplit(url)
    door = enter(kind(where.hostname, where.port))
    user, at, _address = where.netloc.rpartition('@')
    return door, where._replace(netloc=f'{user}{at}127.0.0.1:{door.port}').geturl()


@contextlib.contextmanager
def _database(server, kind):
    """URL of a database of its own; dropped at the end."""
    if kind == 'mariadb':
        with mariadb(server) as url:
            yield url
        return
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    engine = sa.create_engine(server, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name}')
    try:
        yield f'{server}/{name}'
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE {name} WITH (FORCE)')
        engine.dispose()
