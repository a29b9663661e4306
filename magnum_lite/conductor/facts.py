"""What is looked up for a cluster before its first node, and kept with it."""

from dataclasses import replace
from typing import Any

from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.resolve import Rows
from magnum_lite.db import claims, journal, store
from magnum_lite.db.engine import Connection, Database
from magnum_lite.driver_sdk import Driver
from magnum_lite.objects import Cluster, Operation


def ensure(
    database: Database, clients: Clients, driver: Driver, rows: Rows, operation: Operation
) -> None:
    """Look up what the first step needs, once; the row of the cluster gets it.

    :raises LostClaim: the run of the operation is over.
    """
    facts = dict(rows.cluster.facts)
    if facts.get('join', {}) != driver.join_certificate:
        facts['join'] = dict(driver.join_certificate)
    if rows.image is None:
        facts['image'] = clients.image(operation.identity, rows.template.image_id)
    if facts != rows.cluster.facts:
        rows.cluster.facts = facts
        database.write(claims.fenced, operation, _keep, operation, facts)


def _keep(connection: Connection, operation: Operation, facts: dict[str, Any]) -> None:
    """Keep what was looked up: with the cluster, or with what it is to become."""
    change = operation.wants
    if change.at_end.cluster:
        cluster = {**change.at_end.cluster, 'facts': facts}
        change = replace(change, at_end=replace(change.at_end, cluster=cluster))
        claims.keep(connection, operation, change)
        journal.amend(connection, operation, change.snapshot())
    else:
        store.update(connection, Cluster, {'facts': facts}, uuid=operation.cluster_id)
