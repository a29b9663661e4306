"""The installed drivers, and the rows that tell the API of them."""

import logging
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import stevedore
from oslo_db import exception as db_exc
from oslo_utils import versionutils

from magnum_lite import driver_sdk
from magnum_lite.db import store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import Driver
from magnum_lite.exceptions import ServiceError
from magnum_lite.objects import DriverVersion

LOG = logging.getLogger(__name__)
NAMESPACE = 'magnum_lite.drivers'


class BadDriver(ServiceError):
    """An installed driver package cannot be used; the conductor does not start."""

    code = 'bad-driver'
    message = 'Driver {name}: {reason}'


class Registry:
    """Drivers by name.

    :raises BadDriver: two packages have one name, or one does not keep the contract's version.
    """

    def __init__(self, plugins: dict[str, Driver] | None = None):
        self._plugins = _load() if plugins is None else plugins
        for name, plugin in self._plugins.items():
            if (
                plugin.contract[0] != driver_sdk.CONTRACT[0]
                or plugin.contract > driver_sdk.CONTRACT
            ):
                raise BadDriver(
                    name=name,
                    reason=f'contract {plugin.contract} is not supported, '
                    f'this is {driver_sdk.CONTRACT}',
                )

    def __iter__(self) -> Iterator[Driver]:
        return iter(self._plugins.values())

    def get(self, name: str, *, at_least: str = '0') -> Driver:
        """The driver of that entry point.

        :param at_least: version of the package that its row was made with: an older one
            could not know what its clusters need.
        :raises BadDriver: it is not installed on this host, or is too old.
        """
        plugin = self._plugins.get(name)
        if plugin is None:
            raise BadDriver(name=name, reason='is not installed on this conductor')
        if _number(plugin.version) < _number(at_least):
            raise BadDriver(
                name=name,
                reason=f'is {plugin.version} on this conductor, the cluster needs {at_least}',
            )
        return plugin

    def names(self) -> list[str]:
        """Entry points, sorted."""
        return sorted(self._plugins)

    def publish(self, database: Database) -> list[str]:
        """Insert version 1 of each driver that has no row; the names of those.

        Never a new version of one that has: conductors of two releases side by side would make
        them flip-flop. ``sync`` does that, when an operator asks.
        """
        return [name for name in self.names() if database.write(self._insert_first, name)]

    def sync(self, database: Database) -> list[tuple[str, int]]:
        """Insert a new version of each driver whose package differs from its newest row.

        :returns: ``[(name, new version)]``.
        """
        made = []
        for name in self.names():
            version = database.write(self._insert_next, name)
            if version:
                made.append((name, version))
        return made

    def _insert_first(self, connection: Connection, name: str) -> bool:
        if store.count(connection, DriverVersion, name=name):
            return False
        try:
            store.insert(
                connection, DriverVersion.new(public=True, **_describe(self._plugins[name]))
            )
        except db_exc.DBDuplicateEntry as error:  # another conductor was first: look again
            raise db_exc.RetryRequest(error) from error
        return True

    def _insert_next(self, connection: Connection, name: str) -> int | None:
        wanted = _describe(self._plugins[name])
        known = store.find(connection, DriverVersion, name=name)
        if not known:
            store.insert(connection, DriverVersion.new(public=True, **wanted))
            return 1
        newest = max(known, key=lambda row: row.version)
        if all(getattr(newest, field) == value for field, value in wanted.items()):
            return None
        store.insert(
            connection,
            DriverVersion.new(
                **wanted, version=newest.version + 1, public=newest.public, enabled=newest.enabled
            ),
        )
        return newest.version + 1


def _load() -> dict[str, Driver]:
    def refuse(
        manager: stevedore.ExtensionManager[Driver], entry_point: EntryPoint, error: BaseException
    ) -> None:
        raise BadDriver(name=entry_point.name, reason=str(error)) from error

    plugins: dict[str, Driver] = {}
    manager: stevedore.ExtensionManager[Driver] = stevedore.ExtensionManager(
        NAMESPACE, invoke_on_load=True, on_load_failure_callback=refuse
    )
    for extension in manager:
        if extension.name in plugins:
            raise BadDriver(name=extension.name, reason='two installed packages have this name')
        if extension.obj is None:
            raise BadDriver(name=extension.name, reason='its entry point makes no driver')
        plugins[extension.name] = extension.obj
    return plugins


def _number(version: str) -> tuple[int, ...]:
    return versionutils.convert_version_to_tuple(version)


def _describe(plugin: Driver) -> dict[str, Any]:
    return {
        'name': plugin.name,
        'plugin_name': plugin.name,
        'plugin_version': plugin.version,
        'coe': plugin.coe,
        'server_types': sorted(plugin.server_types),
        'distros': sorted(plugin.distros),
        'capabilities': sorted(plugin.capabilities),
        'limits': dict(plugin.limits),
        'config': plugin.get_default_config(),
        'config_schema': dict(plugin.config_schema),
    }
