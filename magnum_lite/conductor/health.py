"""The look at the health of clusters, by their drivers, now and then.

A look is no operation. It has threads of its own, so that no cluster that does not answer holds a
step; what it finds is written only where that is news.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from oslo_config import cfg
from oslo_utils import strutils

from magnum_lite import threads
from magnum_lite.cloud import transport
from magnum_lite.conductor import differences, keys, resolve
from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.call import call
from magnum_lite.conductor.lease import Lease
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import health
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import ClusterSpec, Driver, DriverError, FailedError, denied
from magnum_lite.driver_sdk import Health as Found
from magnum_lite.exceptions import ServiceError
from magnum_lite.objects import Cluster, Operation
from magnum_lite.objects.statuses import HEALTH
from magnum_lite.secrets.vault import Vault

LOG = logging.getLogger(__name__)
PAUSE_S = 5  # longest pause while it is nobody's turn
OVERDUE = 2  # times of timeout_s after which a look counts as hung
MOST_FINDINGS = 50  # of one look, each of at most MOST_TEXT characters
MOST_TEXT = 1000


class Health:
    """The loop of one worker; each turn of a cluster is one worker's."""

    def __init__(
        self, conf: cfg.ConfigOpts, database: Database, registry: Registry, backends: Backends
    ):
        self._conf = conf.health
        self._lease_s = conf.conductor.lease_s
        self._database = database
        self._registry = registry
        self._backends = backends
        # What the comparison with the cloud says stands beside what looks find.
        self._compared = tuple(
            {word for backend in backends for word in differences.prefixes(backend.noun)}
        )
        self._vault = Vault(conf)
        self._plugins = [plugin.name for plugin in registry if 'monitor' in plugin.capabilities]
        self._pool = threads.Pool('look', conf.health.threads)
        self._looking: dict[str, tuple[Row, Cluster]] = {}
        self._event = threading.Event()
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look until stopped; the database may be away for a while."""
        if not self._conf.interval_s or not self._plugins:
            self._stopping.wait()
        pause_s = min(self._conf.interval_s / 20, PAUSE_S)
        given = float('-inf')
        while not self._stopping.is_set():
            try:
                if time.monotonic() - given > pause_s:
                    given = time.monotonic()
                    self.give_turns()
                self.turn()
            except AWAY as error:
                LOG.warning('No look at the health of clusters, it is tried again: %s', error)
            self._event.wait(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            self._event.clear()

    def stop(self) -> None:
        """End ``run``. Looks under way write nothing any more."""
        self._stopping.set()
        self._event.set()
        self._pool.shut()

    def give_turns(self) -> None:
        """Let clusters be looked at that are new."""
        with self._database.read() as connection:
            is_new = bool(health.without_turn(connection))
        if is_new:
            self._database.write(health.give_turns, every_s=self._conf.interval_s)

    def turn(self) -> None:
        """Begin those looks that are due, as many as fit."""
        for cluster_id in self._pool.tell_overdue(OVERDUE * self._conf.timeout_s):
            if cluster_id in self._looking:
                self._write(
                    *self._looking[cluster_id],
                    _unknown(f'the look takes more than {OVERDUE * self._conf.timeout_s:g} s'),
                )
        if self._pool.room <= 0:
            return
        with self._database.read() as connection:
            rows = list(health.due(connection, self._plugins, limit=4 * self._conf.threads))
        random.shuffle(rows)  # workers seldom race for the same
        for row in rows:
            if self._pool.room <= 0 or self._stopping.is_set():
                return
            if row.cluster_id not in self._pool and self._database.write(
                health.claim, row, every_s=self._conf.interval_s
            ):
                self._pool.submit(row.cluster_id, self._look, row)

    def _look(self, row: Row) -> None:
        try:
            if self._stopping.is_set():
                return
            asking = Operation.new(cluster_id=row.cluster_id, kind='update')  # never a row
            with self._database.read() as connection:
                rows = resolve.read(connection, asking)
            if not _is_watched(rows.cluster.labels):
                self._looking[row.cluster_id] = row, rows.cluster
                self._write(row, rows.cluster, self._found(rows, asking))
        except (ServiceError, *AWAY) as error:
            LOG.warning('Cluster %s cannot be looked at: %s', row.cluster_id, error)
        finally:
            self._looking.pop(row.cluster_id, None)
            self._event.set()  # there is room for the next

    def _found(self, rows: resolve.Rows, asking: Operation) -> Found:
        """What the driver says; UNKNOWN where it may not look, or fails."""
        cluster = rows.cluster
        if reason := denied.why(cluster.api_address, self._conf.denied_networks):
            return Found('UNKNOWN', {'api': reason})
        driver = self._registry.get(rows.driver.plugin_name, at_least=rows.driver.plugin_version)
        with self._database.read() as connection:
            secrets = keys.secrets_of(connection, self._vault, driver, cluster)
        spec = replace(
            resolve.spec(rows, asking, secrets),
            api_address=cluster.api_address,
            denied_networks=tuple(self._conf.denied_networks),
        )
        try:
            return _checked(
                driver, self._ask(driver, spec, cluster.identity), without=self._compared
            )
        except FailedError as error:
            LOG.error('Cluster %s: %s: %s', cluster.uuid, error, error.operator)
            return _unknown(error.user)
        except DriverError as error:
            return _unknown(str(error))

    def _ask(self, driver: Driver, spec: ClusterSpec, who: Mapping[str, Any]) -> Any:
        timeout_s = self._conf.timeout_s
        # The total time bounds the calls: the lease admits what it admits in a step, at any time.
        lease = Lease(time.monotonic() + timeout_s + self._lease_s)
        cloud: Any = _Later(lambda: self._backends.of(driver).open(who, lease).cloud)
        with transport.within(timeout_s), transport.Gate(self._stopping.is_set):
            monitor = call(driver, 'get_monitor', cloud, spec)
            return call(monitor, 'look', timeout_s=timeout_s)

    def _write(self, row: Row, cluster: Cluster, new: Found) -> None:
        """Write down what is news; what the comparison with the cloud found stays beside it."""
        before = cluster.health_status_reason
        ours = {key: text for key, text in before.items() if key.startswith(self._compared)}
        status, reason = 'UNHEALTHY' if ours else new.status, {**new.reason, **ours}
        if (status, reason) == (cluster.health_status, before) or self._stopping.is_set():
            return
        if self._database.write(health.found, row, cluster, status, reason):
            level = logging.INFO if status == cluster.health_status else logging.WARNING
            LOG.log(level, 'Cluster %s is %s: %s', cluster.uuid, status, reason)


class _Later:
    """A cloud that is opened once it is used: a look that asks the cluster alone needs none."""

    def __init__(self, make: Callable[[], Any]):
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def _is_watched(labels: Mapping[str, str]) -> bool:
    """Whether somebody inside the cluster reports its health."""
    return (
        strutils.bool_from_string(labels.get('auto_healing_enabled'))
        and labels.get('auto_healing_controller') == 'magnum-auto-healer'
    )


def _unknown(text: str) -> Found:
    return Found('UNKNOWN', {'monitor': text[:MOST_TEXT]})


def _checked(driver: Driver, found: Any, *, without: tuple[str, ...]) -> Found:
    """What a driver answered, as it can be written down.

    :param without: what entries begin with that are others'.
    """
    if (
        not isinstance(found, Found)
        or found.status not in HEALTH
        or not isinstance(found.reason, Mapping)
    ):
        return _unknown(f'driver {driver.name} answered what is no health')
    findings = [(str(key)[:255], str(text)[:MOST_TEXT]) for key, text in found.reason.items()]
    return Found(
        found.status,
        dict(pair for pair in findings[:MOST_FINDINGS] if not pair[0].startswith(without)),
    )
