"""The look at clusters on which nothing is at work: is there what the last change left?

One look at a project's parts and one at its servers in ``[conductor] compare_s``, whatever it has;
more only about what differs. What differs is shown as health, and the next change mends it.
"""

import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from oslo_config import cfg

from magnum_lite.cloud import servers
from magnum_lite.conductor import differences
from magnum_lite.conductor.backends import Backends
from magnum_lite.conductor.call import call
from magnum_lite.conductor.later import Later
from magnum_lite.conductor.lease import Lease
from magnum_lite.conductor.registry import BadDriver, Registry
from magnum_lite.db import compare
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import CloudError, CloudUnavailable, DriverError, FailedError
from magnum_lite.driver_sdk.backend import Access, Backend, Found, Look
from magnum_lite.exceptions import ServiceError

LOG = logging.getLogger(__name__)
MOST_IDENTITIES = 3  # that are tried for a project, whose owners may have left
LEASE_S = 10 * 60  # for one cluster, in which nothing is made
PAUSE_S = 30  # longest pause while there is nothing to compare


class Compare:
    """The loop of one worker; each project is compared by one of them."""

    def __init__(
        self, conf: cfg.ConfigOpts, database: Database, registry: Registry, backends: Backends
    ):
        self._conf = conf
        self._every_s = conf.conductor.compare_s
        self._database = database
        self._registry = registry
        self._backends = backends
        self._later = Later(conf, database, registry, backends)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Compare until stopped; database and cloud may be away for a while."""
        if not self._every_s:
            self._stopping.wait()
        pause_s = min(self._every_s / 10, PAUSE_S)
        while not self._stopping.wait(pause_s * random.random()):  # noqa: S311 - no secret
            try:
                while not self._stopping.is_set() and self.one():
                    pass
            except AWAY as error:
                LOG.warning('No comparison with the cloud, it is tried again: %s', error)

    def stop(self) -> None:
        """End ``run``."""
        self._stopping.set()

    def one(self) -> bool:
        """Compare a project whose turn it is; whether there may be another."""
        with self._database.read() as connection:
            rows = compare.due(connection)
        if not rows:
            return False
        row = random.choice(rows)  # noqa: S311 - no secret
        if self._database.write(compare.claim, row, every_s=self._every_s):
            try:
                self._project(row.project_id)
            except CloudError as error:  # says nothing about what is there
                LOG.warning('No comparison of project %s with the cloud: %s', row.project_id, error)
            except FailedError as error:  # a backend may be anybody's
                LOG.error(
                    'No comparison of project %s with the cloud: %s: %s',
                    row.project_id,
                    error,
                    error.operator,
                )
        return True

    def _project(self, project_id: str) -> None:
        with self._database.read() as connection:  # before anyone is asked: what ends later
            clusters, parts = compare.at_rest(connection, project_id)  # is not looked at
            groups = compare.groups(connection, project_id)
        marked: dict[str, list[Row]] = defaultdict(list)
        for group in groups:
            if self._marks_servers(group.plugin_name):
                marked[group.cluster_id].append(group)
        by_backend: dict[Backend, list[Row]] = defaultdict(list)
        for cluster in clusters:
            if backend := self._backends.named(cluster.plugin_name):
                by_backend[backend].append(cluster)
        for backend, mine in by_backend.items():
            self._compare(backend, mine, parts, marked)

    def _compare(
        self,
        backend: Backend,
        clusters: Sequence[Row],
        parts: Mapping[str, Mapping[str, str | None]],
        marked: Mapping[str, Sequence[Row]],
    ) -> None:
        """Compare the clusters of a project that one backend has."""
        who, look = self._look(backend, clusters)
        if look is None:
            return
        there = self._servers(who) if any(c.uuid in marked for c in clusters) else {}
        for cluster in clusters:
            found = {part.name: part for part in look.get(cluster.uuid, ())}
            wanted = self._wanted(cluster, parts[cluster.uuid], found)
            try:
                self._later.look(_open(backend, who, cluster, found), cluster, wanted, found)
                access = _open(backend, who, cluster, found)
                told = differences.of_parts(access, backend.noun, cluster, wanted, found)
                told |= (
                    _said(cluster)
                    if there is None
                    else differences.of_servers(access, found, marked.get(cluster.uuid, ()), there)
                )
                self._show(cluster, told, differences.prefixes(backend.noun))
            except CloudUnavailable:
                raise
            except (DriverError, ServiceError) as error:  # of this cluster alone
                LOG.warning('Cluster %s cannot be compared: %s', cluster.uuid, error)

    def _wanted(
        self, cluster: Row, parts: Mapping[str, str | None], found: Mapping[str, Found]
    ) -> Mapping[str, str | None]:
        """The parts, without the digests of those that the last operation left otherwise: it was
        carried out by a conductor of release 1.0, which notes none."""
        others = {
            name
            for name, digest in parts.items()
            if digest and name in found and digest != found[name].digest
        }
        if not others:
            return parts
        with self._database.read() as connection:
            last = compare.last_done(connection, cluster.uuid)
        return {
            name: None if name in others and last and found[name].attempt == last else digest
            for name, digest in parts.items()
        }

    def _marks_servers(self, plugin: str) -> bool:
        try:
            return self._registry.get(plugin).marks_servers
        except BadDriver:  # not on this host
            return False

    def _servers(self, who: Mapping[str, str]) -> Mapping[str, set[str]] | None:
        """As ``servers.by_group``; None if Nova does not say."""
        try:
            return servers.by_group(self._conf, who)
        except CloudError as error:
            LOG.warning('No list of the servers of a project: %s', error)
            return None

    def _look(
        self, backend: Backend, clusters: Sequence[Row]
    ) -> tuple[Mapping[str, str], Look | None]:
        """Who may look, and what there is; None where there is no such look.

        :raises CloudError: none of the clusters' rights suffices.
        :raises FailedError: the backend raised what it must not.
        """
        tried: list[Mapping[str, str]] = []
        for who in (cluster.identity for cluster in clusters):
            if who in tried or len(tried) == MOST_IDENTITIES:
                continue
            tried.append(who)
            try:
                return who, call(backend, 'look', who)
            except CloudUnavailable:
                raise
            except CloudError as error:
                refusal = error
        raise refusal

    def _show(self, cluster: Row, found: Mapping[str, str], ours: tuple[str, ...]) -> None:
        """Write down what differs, if that is news; what others reported stays.

        :param ours: what our entries begin with.
        """
        before = cluster.health_status_reason
        others = {key: text for key, text in before.items() if not key.startswith(ours)}
        reason = {**others, **found}
        if reason == before:
            return
        status: str | None
        if found:
            status, text = (
                'UNHEALTHY',
                'The cloud differs from what the last change left: '
                + '; '.join(f'{key} {what}' for key, what in found.items()),
            )
        else:
            status, text = 'UNKNOWN' if others else None, 'The cloud is as the last change left it'
        if self._database.write(compare.found, cluster, status, reason, text):
            LOG.warning('Cluster %s: %s', cluster.uuid, text)


def _said(cluster: Row) -> dict[str, str]:
    """What was said of its servers, while Nova says nothing."""
    return {key: text for key, text in cluster.health_status_reason.items() if key == 'servers'}


def _open(
    backend: Backend, who: Mapping[str, str], cluster: Row, found: Mapping[str, Found]
) -> Access:
    """Access that knows what was seen of a cluster; nothing is made, so no call can be late."""
    return backend.open(
        who, Lease(time.monotonic() + LEASE_S), {cluster.uuid: list(found.values())}
    )
