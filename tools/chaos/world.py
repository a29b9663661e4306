"""What there is, looked at past all doors: rows, stacks, servers, notifications heard."""

from dataclasses import dataclass, field

import requests
import sqlalchemy as sa

from magnum_lite.db.tables import METADATA

TABLES = ('clusters', 'nodegroups', 'operations', 'cluster_versions', 'certificates', 'secrets',
          'enrolments', 'ledger', 'outbox', 'usages')
TIMEOUT_S = 60


@dataclass
class World:
    """A look at everything.

    :ivar rows: {table: rows as dictionaries, in the order of their ids}.
    :ivar stacks: {project: [(name, status)]} of Heat.
    :ivar servers: {project: how many servers}.
    :ivar heard: payloads of notifications, in the order in which the broker gave them.
    """

    rows: dict
    stacks: dict = field(default_factory=dict)
    servers: dict = field(default_factory=dict)
    heard: list = field(default_factory=list)

    @property
    def open(self):
        """Operations that have not ended."""
        return [row for row in self.rows['operations']
                if row['state'] in ('QUEUED', 'RUNNING', 'WAITING')]


def rows(engine):
    """{table: rows} of the database."""
    found = {}
    with engine.connect() as connection:
        for name in TABLES:
            table = METADATA.tables[name]
            found[name] = [dict(row._mapping) for row in
                           connection.execute(sa.select(table).order_by(table.c.id))]
    return found


def stacks(heat, token, project):
    """[(name, status)] of a project's stacks."""
    reply = requests.get(heat.catalog['orchestration'] % {'project_id': project} + '/stacks',
                         headers={'X-Auth-Token': token}, timeout=TIMEOUT_S)
    reply.raise_for_status()
    return [(stack['stack_name'], stack['stack_status']) for stack in reply.json()['stacks']]


def servers(heat):
    """{project: how many servers} of the whole cloud."""
    found = {}
    for server in heat.state().get('servers', {}).values():
        project = server['tenant_id']
        found[project] = found.get(project, 0) + 1
    return found
