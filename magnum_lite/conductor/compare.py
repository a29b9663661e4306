"""The look at clusters on which nothing is at work: is in Heat what the last change left there?

One list of a project's stacks in ``[conductor] compare_s``, whatever it has; more only about what
differs. What differs is shown as health, and the next change of the cluster mends it.
"""

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

from oslo_config import cfg

from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.later import Later
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import compare
from magnum_lite.db.engine import AWAY, Database, Row
from magnum_lite.driver_sdk import CloudError, CloudUnavailable, DriverError, Heat, StackView
from magnum_lite.driver_sdk.heat import cluster_tag
from magnum_lite.exceptions import ServiceError
from magnum_lite.objects.status import STABLE

LOG = logging.getLogger(__name__)
OURS = 'stack '         # what our entries of health_status_reason begin with
MOST_SHOWN = 20         # differences of one cluster
MOST_TEXT = 500         # characters of one
MOST_IDENTITIES = 3     # that are tried for a project, whose owners may have left
PAUSE_S = 30            # longest pause while there is nothing to compare


class Compare:
    """The loop of one worker; each project is compared by one of them."""

    def __init__(self, conf: cfg.ConfigOpts, database: Database, registry: Registry,
                 clients: Clients):
        self._every_s = conf.conductor.compare_s
        self._database = database
        self._clients = clients
        self._later = Later(conf, database, registry)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Compare until stopped; database and cloud may be away for a while."""
        if not self._every_s:
            self._stopping.wait()
        pause_s = min(self._every_s / 10, PAUSE_S)
        while not self._stopping.wait(pause_s * random.random()):   # noqa: S311 - no secret
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
        row = random.choice(rows)       # noqa: S311 - no secret
        if self._database.write(compare.claim, row, every_s=self._every_s):
            try:
                self._project(row.project_id)
            except CloudError as error:     # says nothing about what is there
                LOG.warning('No comparison of project %s with Heat: %s', row.project_id, error)
        return True

    def _project(self, project_id: str) -> None:
        with self._database.read() as connection:       # before Heat is asked: what ends later
            clusters, stacks = compare.at_rest(connection, project_id)      # is not looked at
        if not clusters:
            return
        heat, views = self._list(clusters)
        by_tag: dict[str, dict[str, StackView]] = defaultdict(dict)
        for view in views:
            for tag in view.tags:
                by_tag[tag][view.name] = view
        for cluster in clusters:
            wanted, there = stacks[cluster.uuid], by_tag[cluster_tag(cluster.uuid)]
            try:
                self._later.look(heat, cluster, wanted, there)
                self._show(cluster, _differences(heat, cluster, wanted, there))
            except CloudUnavailable:
                raise
            except (DriverError, ServiceError) as error:    # of this cluster alone
                LOG.warning('Cluster %s cannot be compared: %s', cluster.uuid, error)

    def _list(self, clusters: Sequence[Row]) -> tuple[Heat, Sequence[StackView]]:
        """The stacks of a project, and who may ask for more.

        :raises CloudError: none of its clusters' rights can list them.
        """
        tried: list[Mapping[str, str]] = []
        for who in (cluster.identity for cluster in clusters):
            if who in tried or len(tried) == MOST_IDENTITIES:
                continue
            tried.append(who)
            try:
                heat = self._clients.heat(who)
                return heat, heat.list('magnum_lite')
            except CloudUnavailable:
                raise
            except CloudError as error:
                refusal = error
        raise refusal

    def _show(self, cluster: Row, differences: Mapping[str, str]) -> None:
        """Write down what differs, if that is news; what others reported stays."""
        before = cluster.health_status_reason
        others = {key: text for key, text in before.items() if not key.startswith(OURS)}
        reason = {**others, **differences}
        if reason == before:
            return
        if differences:
            status, text = 'UNHEALTHY', 'Heat differs from what the last change left: ' + \
                '; '.join(f'{key} {found}' for key, found in differences.items())
        else:
            status, text = 'UNKNOWN' if others else None, 'Heat is as the last change left it again'
        if self._database.write(compare.found, cluster, status, reason, text):
            LOG.warning('Cluster %s: %s', cluster.uuid, text)


def _differences(heat: Heat, cluster: Row, stacks: Mapping[str, str | None],
                 views: Mapping[str, StackView]) -> dict[str, str]:
    """What is not as it should be, in words, by ``stack <name>``."""
    found = {}
    for name, digest in stacks.items():
        text = _missing(heat, cluster, name) if name not in views else \
            _state(views[name]) or _changed(heat, views[name], digest)
        if text:
            found[f'{OURS}{name}'] = text[:MOST_TEXT]
        if len(found) == MOST_SHOWN:
            break
    return found


def _missing(heat: Heat, cluster: Row, name: str) -> str:
    """What became of a stack that was not listed."""
    if cluster.status not in STABLE:    # it may never have been made
        return ''
    view = heat.get(name)
    if view is None:
        return 'is gone'
    if cluster_tag(cluster.uuid) in view.tags:
        return ''       # one of the two answers is wrong
    return 'has lost the tags that say whose it is'


def _state(view: StackView) -> str:
    if view.status == 'DELETE_COMPLETE':
        return 'is gone'
    if view.in_progress:
        return f'is {view.status}, though no operation is at work on it'
    return '' if view.status in STABLE else f'is {view.status}: {view.reason}'


def _changed(heat: Heat, view: StackView, digest: str | None) -> str:
    """What a call made of a stack that Heat served after the last change was done or given up."""
    if digest is None or f'plan:{digest}' in view.tags:
        return ''
    full = heat.get(view.id)
    nodes = len(full.outputs.get('node_addresses') or ()) if full else 0
    return f'was changed behind the last operation: it has {nodes} nodes'
