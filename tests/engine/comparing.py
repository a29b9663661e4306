"""The comparison of clusters at rest, one project at a time."""

import datetime

from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.compare import Compare
from magnum_lite.conductor.registry import Registry
from magnum_lite.db.tables import usages


class Comparing:
    """A worker's comparison, one project at a time, and how often it asked Heat for a list."""

    def __init__(self, conf, database, driver, monkeypatch):
        self.lists = []
        self.database = database
        registry = Registry({'tiny': driver})
        self.backends = Backends(conf, registry, Clients(conf))
        self.loop = Compare(conf, database, registry, self.backends)
        backend = self.backends.named('tiny')
        if isinstance(driver.backend, str):
            self._count(backend, monkeypatch)

    def _count(self, backend, monkeypatch):
        self.heat = backend.heat
        made = backend._make

        def counting(who):
            heat = made(who)
            listing = heat.list
            monkeypatch.setattr(heat, 'list', lambda tag: self.lists.append(tag) or listing(tag))
            return heat

        monkeypatch.setattr(backend._heats, '_make', counting)

    def due(self):
        """Let it be every project's turn."""
        long_ago = datetime.datetime(2020, 1, 1)  # noqa: DTZ001 - columns hold UTC
        self.database.write(
            lambda connection: connection.execute(usages.update().values(compare_at=long_ago))
        )

    def now(self):
        """Compare all projects once."""
        self.due()
        while self.loop.one():
            pass
