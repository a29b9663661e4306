"""What there is, looked at past all doors: rows, stacks, servers, notifications heard."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import requests
import sqlalchemy as sa

from magnum_lite.db.ledger import APPLICATION_CREDENTIAL, TRUST
from magnum_lite.db.tables import METADATA
from magnum_lite.driver_sdk import tags

TABLES = (
    'clusters',
    'nodegroups',
    'operations',
    'cluster_versions',
    'certificates',
    'secrets',
    'enrolments',
    'ledger',
    'outbox',
    'usages',
)
LENT = (TRUST, APPLICATION_CREDENTIAL)
TIMEOUT_S = 120


class Stack(NamedTuple):
    """One stack of Heat.

    :ivar clusters: uuids of the clusters whose tags it carries.
    """

    name: str
    status: str
    clusters: tuple


@dataclass
class World:
    """A look at everything.

    :ivar rows: {table: rows as dictionaries, in the order of their ids}.
    :ivar stacks: {project: list of ``Stack``}.
    :ivar servers: {(uuid of a cluster, uuid of a node group): how many servers say they are its}.
    :ivar heard: notifications as ``Heard``, in the order in which the broker gave them.
    :ivar lent: {(kind of the ledger, id): name} of what Keystone has of the service's.
    :ivar doubling: [(begin, end)] of faults that may double a notification, monotonic seconds.
    :ivar cloud: {table: how many rows more than before the first request}.
    """

    rows: dict
    stacks: dict = field(default_factory=dict)
    servers: dict = field(default_factory=dict)
    heard: list = field(default_factory=list)
    cloud: dict = field(default_factory=dict)
    lent: dict = field(default_factory=dict)
    doubling: list = field(default_factory=list)

    @property
    def open(self):
        """Operations that have not ended."""
        return [
            row
            for row in self.rows['operations']
            if row['state'] in ('QUEUED', 'RUNNING', 'WAITING')
        ]

    @property
    def strays(self):
        """Entries of the ledger for what requests made that broke off, not ended yet."""
        return [
            row
            for row in self.rows['ledger']
            if row['kind'] in LENT and row['closed_at'] is None and row['external_id'] is None
        ]


def rows(engine):
    """{table: rows} of the database."""
    found = {}
    with engine.connect() as connection:
        for name in TABLES:
            table = METADATA.tables[name]
            found[name] = [
                dict(row._mapping)
                for row in connection.execute(sa.select(table).order_by(table.c.id))
            ]
    return found


def stacks(heat, token, project):
    """The list of ``Stack`` of a project."""
    reply = requests.get(
        heat.catalog['orchestration'] % {'project_id': project} + '/stacks',
        headers={'X-Auth-Token': token},
        timeout=TIMEOUT_S,
    )
    reply.raise_for_status()
    prefix = tags.of_cluster('')
    return [
        Stack(
            stack['stack_name'],
            stack['stack_status'],
            tuple(
                tag.removeprefix(prefix) for tag in stack['tags'] or () if tag.startswith(prefix)
            ),
        )
        for stack in reply.json()['stacks']
    ]


def sizes(cloud):
    """{table: how many rows} of the simulated cloud's state."""
    return Counter({table: len(rows) for table, rows in cloud.items()})


def servers(cloud):
    """{(cluster, node group): how many servers} of the whole cloud, as their metadata says."""
    return Counter(
        (
            server['metadata'].get('magnum_lite_cluster'),
            server['metadata'].get('magnum_lite_node_group'),
        )
        for server in cloud.get('servers', {}).values()
    )


def lent(keystone, trustee, users):
    """{(kind, id): name} of what users lent to a trustee and to nodes, named as the ledger does."""
    found = {
        (TRUST, trust.id): trust.magnum_lite_mark
        for trust in keystone.admin.trusts.list(trustee_user=trustee)
    }
    for user in users:
        for made in keystone.admin.application_credentials.list(user=user):
            name = made.name.removeprefix('magnum-lite-')
            found[APPLICATION_CREDENTIAL, f'{user}/{made.id}'] = f'{user}/{name}'
    return found
