"""The look at clusters on which nothing is at work: is there what the last change left?

One list of a project's stacks and one of its servers in ``[conductor] compare_s``, whatever it has;
more only about what differs. What differs is shown as health, and the next change mends it.
"""

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

from oslo_config import cfg

from magnum_lite.cloud import servers
from magnum_lite.conductor import differences
from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.later import Later
from magnum_lite.conductor.registry import BadDriver, Registry
from magnum_lite.db import compare
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import CloudError, CloudUnavailable, DriverError, Heat, StackView
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.exceptions import ServiceError

LOG = logging.getLogger(__name__)
OURS = ('stack ', 'servers')  # what our entries of health_status_reason begin with
MOST_IDENTITIES = 3  # that are tried for a project, whose owners may have left
PAUSE_S = 30  # longest pause while there is nothing to compare


class Compare:
    """The loop of one worker; each project is compared by one of them."""

    def __init__(
        self, conf: cfg.ConfigOpts, database: Database, registry: Registry, clients: Clients
    ):
        self._conf = conf
        self._every_s = conf.conductor.compare_s
        self._database = database
        self._registry = registry
        self._clients = clients
        self._later = Later(conf, database, registry)
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
                LOG.warning('No comparison with Heat, it is tried again: %s', error)

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
                LOG.warning('No comparison of project %s with Heat: %s', row.project_id, error)
        return True

    def _project(self, project_id: str) -> None:
        with self._database.read() as connection:  # before Heat is asked: what ends later
            clusters, stacks = compare.at_rest(connection, project_id)  # is not looked at
            groups = compare.groups(connection, project_id)
        if not clusters:
            return
        who, heat, views = self._list(clusters)
        marked: dict[str, list[Row]] = defaultdict(list)
        for group in groups:
            if self._marks_servers(group.plugin_name):
                marked[group.cluster_id].append(group)
        there = self._servers(who) if marked else {}
        by_tag: dict[str, dict[str, StackView]] = defaultdict(dict)
        for view in views:
            for tag in view.tags:
                by_tag[tag][view.name] = view
        for cluster in clusters:
            mine = by_tag[cluster_tag(cluster.uuid)]
            wanted = self._wanted(cluster, stacks[cluster.uuid], mine)
            try:
                self._later.look(heat, cluster, wanted, mine)
                found = differences.of_stacks(heat, cluster, wanted, mine)
                found |= (
                    _said(cluster)
                    if there is None
                    else differences.of_servers(heat, mine, marked[cluster.uuid], there)
                )
                self._show(cluster, found)
            except CloudUnavailable:
                raise
            except (DriverError, ServiceError) as error:  # of this cluster alone
                LOG.warning('Cluster %s cannot be compared: %s', cluster.uuid, error)

    def _wanted(
        self, cluster: Row, stacks: Mapping[str, str | None], views: Mapping[str, StackView]
    ) -> Mapping[str, str | None]:
        """The stacks, without the digests of those that the last operation left otherwise: it was
        carried out by a conductor of release 1.0, which notes none."""
        others = {
            name
            for name, digest in stacks.items()
            if digest and name in views and f'plan:{digest}' not in views[name].tags
        }
        if not others:
            return stacks
        with self._database.read() as connection:
            mark = f'attempt:{compare.last_done(connection, cluster.uuid)}'
        return {
            name: None if name in others and mark in views[name].tags else digest
            for name, digest in stacks.items()
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

    def _list(self, clusters: Sequence[Row]) -> tuple[Mapping[str, str], Heat, Sequence[StackView]]:
        """Who may ask, and the stacks of a project.

        :raises CloudError: none of its clusters' rights can list them.
        """
        tried: list[Mapping[str, str]] = []
        for who in (cluster.identity for cluster in clusters):
            if who in tried or len(tried) == MOST_IDENTITIES:
                continue
            tried.append(who)
            try:
                heat = self._clients.heat(who)
                return who, heat, heat.list('magnum_lite')
            except CloudUnavailable:
                raise
            except CloudError as error:
                refusal = error
        raise refusal

    def _show(self, cluster: Row, found: Mapping[str, str]) -> None:
        """Write down what differs, if that is news; what others reported stays."""
        before = cluster.health_status_reason
        others = {key: text for key, text in before.items() if not key.startswith(OURS)}
        reason = {**others, **found}
        if reason == before:
            return
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
