"""The whole service, with a door before each of its parts."""

import contextlib
from dataclasses import dataclass, field

import sqlalchemy as sa

from magnum_lite_dev.rig.doors import before
from magnum_lite_dev.rig.production import deployment
from magnum_lite_dev.rig.services import service_url, vhost
from tools.chaos import world
from tools.chaos.clock import Clock
from tools.chaos.cloud import Cloud, running_cloud
from tools.chaos.database import running_database
from tools.chaos.ear import listening
from tools.chaos.http_door import HttpDoor
from tools.chaos.victim import Api, Conductor, DoorVictim, HostClock

LEASE_S = 12
# Longer than a request may take.
STRAY_S = 45
CONDUCTORS = ('conductor-0', 'conductor-1')
# The last conductor, on a host whose clock is wrong.
CLOCK = 'clock-1'
USERS = ('red', 'green', 'blue')
TARGETS = (
    'heat',
    'keystone',
    'database',
    'broker',
    'api',
    *CONDUCTORS,
    CLOCK,
    'galera',
    'api-worker',
)


@dataclass
class Stage:
    """What runs.

    :ivar url: of the API, through its door.
    :ivar doors: {name: a door that the nemesis can hurt}; ``processes`` and ``nodes`` of the
        database likewise.
    :ivar doubling: [(begin, end)] of past faults that may double a notification.
    """

    service: object
    cloud: Cloud
    engine: sa.Engine
    ear: object
    url: str
    doors: dict
    processes: dict
    nodes: dict
    _before: dict
    doubling: list = field(default_factory=list)

    def rows(self):
        """A ``World`` of rows alone, past all doors."""
        return world.World(world.rows(self.engine))

    def look(self):
        """A ``World``, past all doors."""
        found = self.cloud.look()
        found['cloud'] -= self._before
        return world.World(
            rows=world.rows(self.engine),
            heard=list(self.ear.heard),
            doubling=list(self.doubling),
            **found,
        )


@contextlib.contextmanager
def stage(path, database, identity, say):
    """Start everything; stopped at the end.

    :param path: an empty directory for all files.
    :param database: one of ``DATABASES``.
    :param identity: who vouches for callers, one of ``IDENTITIES``.
    :param say: gets a line for what cannot be hurt here.
    :returns: context manager with a ``Stage``.
    """
    for folder in ('cloud', 'service', 'database'):
        (path / folder).mkdir()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        broker = enter(vhost(service_url('rabbitmq')))
        server = enter(running_database(path / 'database', database, say))
        ear = enter(listening(broker))
        cloud = enter(running_cloud(path / 'cloud', broker, identity, USERS))
        service = enter(
            deployment(
                path / 'service',
                cloud.heat,
                database=server.url,
                broker=broker,
                keystone=cloud.keystone,
                conductors=1,
                lease_s=LEASE_S,
                stray_s=STRAY_S,
                notifications='messagingv2',
            )
        )
        if cloud.keystone:  # nodes find the service in the catalog; its door is for users
            cloud.keystone.endpoints({'container-infra': f'{service.url}/v1'})
        api_door, api_url = before(enter, HttpDoor, service.url)
        engine = sa.create_engine(server.past)
        stack.callback(engine.dispose)
        doors = {
            **cloud.doors,
            'database': (server.door, ()),
            'broker': (service.door, ()),
            # A creation that arrives twice is two clusters, as the interface says.
            'api': (api_door, ('double',)),
        }
        yield Stage(
            service,
            cloud,
            engine,
            ear,
            api_url,
            {name: DoorVictim(door, spared) for name, (door, spared) in doors.items()},
            {**_conductors(service, path, say), 'api-worker': Api(service)},
            server.victims,
            cloud.look()['cloud'],
        )


def _conductors(service, path, say):
    """{name: victim} of the conductors and of the clock of one host; starts the second one."""
    environ, found = {}, {}
    try:
        clock = Clock(path)
    except OSError as error:
        say(f'NO CLOCK JUMPS: {error}')
    else:
        found[CLOCK], environ = HostClock(clock), clock.environ
    for name in CONDUCTORS:
        found[name] = Conductor(service, name, environ if name == CONDUCTORS[-1] else ())
    found[CONDUCTORS[-1]].start()
    return found
