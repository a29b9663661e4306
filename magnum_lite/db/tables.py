"""The tables: one per Resource with columns from its fields, and the plain rows beside them.

Keys and indexes, which only SQL knows, are said here: one for each list and each sweep.
"""

from typing import Any

import sqlalchemy as sa

from magnum_lite import objects
from magnum_lite.db.columns import JsonText, column_type, long_text, moment
from magnum_lite.objects.base import Resource

# Binary collation: names and ids compare exactly on every database, but for spaces at the end.
OPTIONS: dict[str, Any] = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
    'mariadb_engine': 'InnoDB',
    'mariadb_charset': 'utf8mb4',
    'mariadb_collate': 'utf8mb4_bin',
    'sqlite_autoincrement': True,
}
METADATA = sa.MetaData()


def _columns(resource: type[Resource]) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = []
    for name, field in resource.fields.items():
        if name == 'id':
            columns.append(sa.Column('id', sa.Integer, primary_key=True))
        else:
            columns.append(sa.Column(name, column_type(field.kind), nullable=field.nullable))
    return columns


def _table(name: str, resource: type[Resource], *keys: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, METADATA, *_columns(resource), *keys, **OPTIONS)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f'uniq_{table}0{"0".join(columns)}')


def _index(table: str, *columns: str) -> sa.Index:
    return sa.Index(f'ix_{table}_{"_".join(columns)}', *columns)


def _rows(name: str, *items: sa.schema.SchemaItem) -> sa.Table:
    key = sa.Column('id', sa.Integer, primary_key=True)
    return sa.Table(name, METADATA, key, *items, **OPTIONS)


def _text(name: str, length: int = 255, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, moment(), nullable=nullable)


cluster_templates = _table(
    'cluster_templates',
    objects.ClusterTemplate,
    _unique('cluster_templates', 'uuid'),
    _index('cluster_templates', 'project_id'),
    _index('cluster_templates', 'name'),
    _index('cluster_templates', 'public'),
)
clusters = _table(
    'clusters',
    objects.Cluster,
    _unique('clusters', 'uuid'),
    _index('clusters', 'project_id'),
    _index('clusters', 'name'),
    _index('clusters', 'cluster_template_id'),
    _index('clusters', 'driver', 'driver_version'),
    # Certified by Galera too, so that a template is not deleted on one node under a cluster that
    # is made on another.
    sa.ForeignKeyConstraint(
        ['cluster_template_id'], ['cluster_templates.uuid'], name='fk_clusters0cluster_template_id'
    ),
)
cluster_versions = _table(
    'cluster_versions', objects.ClusterVersion, _unique('cluster_versions', 'cluster_id', 'version')
)
nodegroups = _table(
    'nodegroups',
    objects.NodeGroup,
    _unique('nodegroups', 'uuid'),
    _unique('nodegroups', 'cluster_id', 'name'),
)
drivers = _table(
    'drivers',
    objects.DriverVersion,
    _unique('drivers', 'uuid'),
    _unique('drivers', 'name', 'version'),
)
operations = _table(
    'operations',
    objects.Operation,
    _unique('operations', 'uuid'),
    _unique('operations', 'cluster_id', 'slot'),
    _index('operations', 'state', 'lease_until'),
    _index('operations', 'owner', 'check_at'),
)
certificates = _table(
    'certificates',
    objects.Certificate,
    _unique('certificates', 'uuid'),
    _unique('certificates', 'cluster_id', 'purpose', 'generation'),
)
quotas = _table('quotas', objects.Quota, _unique('quotas', 'project_id', 'resource'))

# How many of a resource a project has: reserved by a conditional UPDATE, since a count races. And
# when what it has is compared with the cloud next.
usages = _rows(
    'usages',
    _text('project_id'),
    _text('resource'),
    sa.Column('in_use', sa.Integer, nullable=False),
    _moment('compare_at', nullable=True),
    _unique('usages', 'project_id', 'resource'),
    _index('usages', 'resource', 'compare_at'),
)
# A conductor process host, and the drivers that it has.
services = _rows(
    'services',
    _text('host'),
    _text('binary'),
    sa.Column('report_count', sa.Integer, nullable=False),
    sa.Column('disabled', sa.Boolean, nullable=False),
    sa.Column('disabled_reason', long_text()),
    sa.Column('plugins', JsonText, nullable=False),
    _moment('seen_at', nullable=True),
    _moment('created_at'),
    _moment('updated_at', nullable=True),
    _unique('services', 'host', 'binary'),
)
# Every thing outside that belongs to a cluster: written before it is made, closed when seen gone.
# external_id is what finds it again; of a part, the digest of the plan that it was left with.
ledger = _rows(
    'ledger',
    _text('cluster_id', 36),
    _text('kind', 64),
    _text('name'),
    _text('external_id', nullable=True),
    _moment('created_at'),
    _moment('closed_at', nullable=True),
    _unique('ledger', 'cluster_id', 'kind', 'name'),
    _index('ledger', 'kind', 'external_id'),
)
# Notifications: written with the change that they tell of, sent afterwards.
outbox = _rows(
    'outbox',
    _text('uuid', 36),
    _text('event_type'),
    sa.Column('payload', JsonText, nullable=False),
    _moment('created_at'),
    _moment('sent_at', nullable=True),
    _index('outbox', 'sent_at'),
)
# What one process at a time does for all.
leases = _rows(
    'leases', _text('name', 64), _text('owner'), _moment('lease_until'), _unique('leases', 'name')
)
# The journal of an operation.
steps = _rows(
    'steps',
    _text('operation_id', 36),
    sa.Column('fence', sa.Integer, nullable=False),
    sa.Column('text', long_text(), nullable=False),
    _moment('created_at'),
    _index('steps', 'operation_id'),
)
# Sealed texts: keys of authorities, tokens of nodes.
secrets = _rows(
    'secrets',
    _text('ref', 36),
    _text('cluster_id', 36),
    _text('name'),
    sa.Column('sealed', long_text(), nullable=False),
    _moment('created_at'),
    _unique('secrets', 'ref'),
    _unique('secrets', 'cluster_id', 'name'),
)
# Servers that fetched their secrets; each does so once.
enrolments = _rows(
    'enrolments',
    _text('cluster_id', 36),
    _text('server_id', 36),
    _text('node_group', 36),
    _text('fingerprint', 64),
    _moment('created_at'),
    _unique('enrolments', 'server_id'),
    _index('enrolments', 'cluster_id'),
)
# When the health of a cluster is looked at next. Apart from the cluster's row, which is the lock of
# its queue; gone with it, whoever deletes it.
looks = _rows(
    'looks',
    _text('cluster_id', 36),
    sa.Column('fence', sa.Integer, nullable=False),
    _moment('check_at'),
    _unique('looks', 'cluster_id'),
    _index('looks', 'check_at'),
    sa.ForeignKeyConstraint(
        ['cluster_id'], ['clusters.uuid'], name='fk_looks0cluster_id', ondelete='CASCADE'
    ),
)
# Generations of node groups that have several, see ``generations.py``; what their nodes are made of
# is resolved: a name or a label may mean something else later. Gone with the group.
generations = _rows(
    'generations',
    _text('cluster_id', 36),
    _text('node_group', 36),
    sa.Column('number', sa.Integer, nullable=False),
    _text('state', 16),
    sa.Column('facts', JsonText, nullable=False),
    _unique('generations', 'node_group', 'number'),
    _index('generations', 'cluster_id'),
    sa.ForeignKeyConstraint(
        ['node_group'], ['nodegroups.uuid'], name='fk_generations0node_group', ondelete='CASCADE'
    ),
)

OF = {
    objects.Cluster: clusters,
    objects.ClusterVersion: cluster_versions,
    objects.NodeGroup: nodegroups,
    objects.ClusterTemplate: cluster_templates,
    objects.DriverVersion: drivers,
    objects.Operation: operations,
    objects.Certificate: certificates,
    objects.Quota: quotas,
}
