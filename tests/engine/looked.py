"""A driver that says of the health of its clusters what it is told, and a worker that looks."""

import time

from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.health import Health
from magnum_lite.conductor.registry import Registry
from magnum_lite.db.engine import now
from magnum_lite.db.tables import looks
from magnum_lite.driver_sdk import Health as Found
from magnum_lite_dev.rig.tiny import Tiny

ADDRESS = 'https://192.0.2.7:6443'  # nobody is there


class Looked(Tiny):
    """A driver whose monitor says what it is told, and notes what it was given."""

    capabilities = Tiny.capabilities | {'monitor'}

    def __init__(self):
        self.says = lambda: Found('HEALTHY', {'api': 'ok'})
        self.specs = []

    def get_monitor(self, cloud, spec, /):
        """Itself."""
        self.specs.append(spec)
        self.cloud = cloud
        return self

    def look(self, *, timeout_s):
        """As told."""
        return self.says()


class Looking:
    """A worker's looks, which are all ended after each turn."""

    def __init__(self, conf, database, driver):
        self.database = database
        registry = Registry({'tiny': driver})
        self.loop = Health(conf, database, registry, Backends(conf, registry, Clients(conf)))

    def now(self):
        """Look at all clusters once."""
        self.loop.give_turns()
        self.due()
        self.turn()

    def due(self):
        """Let it be every cluster's turn."""
        self.database.write(
            lambda connection: connection.execute(looks.update().values(check_at=now(-1)))
        )

    def turn(self):
        """Look at those whose turn it is."""
        self.loop.turn()
        until = time.monotonic() + 30
        while self.loop._pool._keys:
            assert time.monotonic() < until
            time.sleep(0.01)
