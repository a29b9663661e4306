"""The rows of a cluster by plain SQLAlchemy: clusters to look at, and inserts to compare with."""

import uuid

import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.objects import Cluster, NodeGroup

PART = 100


def seed(database, templates, clusters):
    """Insert complete clusters with their default node groups.

    :param templates: {project: uuid of a template}; the projects take turns.
    :param clusters: how many.
    :returns: ``{project: [uuid, ...]}``.
    """
    made = {project: [] for project in templates}
    projects = list(templates)
    for start in range(0, clusters, PART):
        found = [
            _cluster(number, projects[number % len(projects)], templates)
            for number in range(start, min(start + PART, clusters))
        ]
        groups = [group for cluster in found for group in _groups(cluster)]
        database.write(store.insert, *found, *groups)
        for cluster in found:
            made[cluster.project_id].append(cluster.uuid)
    return made


def _cluster(number, project, templates):
    return Cluster.new(
        name=f'cluster-{number}',
        cluster_template_id=templates[project],
        project_id=project,
        user_id='demo',
        driver='kubernetes',
        driver_version=1,
        status='CREATE_COMPLETE',
        flavor_id='m1.small',
        master_flavor_id='m1.small',
        keypair='demo',
        create_timeout=60,
        labels={'kube_tag': 'v1.36.2', 'boot_volume_size': '20'},
        stack_id=str(uuid.uuid4()),
        api_address=f'https://203.0.113.{number % 250}:6443',
        coe_version='v1.36.2',
        facts={'image': {'id': str(uuid.uuid4()), 'name': 'debian-13', 'os_distro': 'debian'}},
    )


def _groups(cluster):
    return [
        NodeGroup.new(
            name=f'default-{role}',
            role=role,
            cluster_id=cluster.uuid,
            project_id=cluster.project_id,
            is_default=True,
            labels=cluster.labels,
            image_id='debian-13',
            flavor_id='m1.small',
            status=cluster.status,
            node_count=count,
            stack_id=cluster.stack_id,
            node_addresses=[f'10.0.0.{index + 5}' for index in range(count)],
        )
        for role, count in (('master', 1), ('worker', 2))
    ]


class Copies:
    """Inserts what the service once inserted for a cluster, again and again.

    :param url: of the database.
    :param cluster: uuid of a cluster whose creation was accepted a moment ago.
    """

    def __init__(self, url, cluster):
        self._engine = sa.create_engine(url)
        metadata = sa.MetaData()
        metadata.reflect(self._engine)
        tables = metadata.tables
        self._cluster = cluster
        with self._engine.connect() as connection:
            self._rows = {
                name: self._read(connection, tables[name], column)
                for name, column in (
                    ('clusters', 'uuid'),
                    ('nodegroups', 'cluster_id'),
                    ('cluster_versions', 'cluster_id'),
                    ('operations', 'cluster_id'),
                )
            }
            outbox = tables['outbox']
            self._rows['outbox'] = self._rows_of(
                connection.execute(sa.select(outbox).order_by(outbox.c.id.desc()).limit(1))
            )
        self._tables = tables

    def _read(self, connection, table, column):
        return self._rows_of(
            connection.execute(sa.select(table).where(table.c[column] == self._cluster))
        )

    @staticmethod
    def _rows_of(result):
        return [
            {name: value for name, value in row._mapping.items() if name != 'id'} for row in result
        ]

    def insert(self, *names):
        """Insert the rows of these tables, or of all, in one transaction."""
        new = str(uuid.uuid4())
        with self._engine.begin() as connection:
            for name in names or self._rows:
                connection.execute(
                    self._tables[name].insert(),
                    [self._renamed(row, new) for row in self._rows[name]],
                )

    def _renamed(self, row, new):
        row = {name: new if value == self._cluster else value for name, value in row.items()}
        if 'uuid' in row and row['uuid'] != new:
            row['uuid'] = str(uuid.uuid4())
        return row

    def close(self):
        """Close the connections."""
        self._engine.dispose()
