"""Generations of node groups beside the one that the group's row describes.

There is no 014: what it was meant for follows from the rows that 1.0 writes, too.

Revision ID: 015
Revises: 013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '015'
down_revision = '013'

OPTIONS = {
    'mysql_engine': 'InnoDB',
    'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_bin',
    'mariadb_engine': 'InnoDB',
    'mariadb_charset': 'utf8mb4',
    'mariadb_collate': 'utf8mb4_bin',
    'sqlite_autoincrement': True,
}


def upgrade():
    """Make the table; groups that have one generation have no row in it."""
    op.create_table(
        'generations',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('node_group', sa.String(36), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(16), nullable=False),
        sa.Column(
            'facts', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'), nullable=False
        ),
        sa.UniqueConstraint('node_group', 'number', name='uniq_generations0node_group0number'),
        # A conductor of release 1.0 deletes groups too, and does not know this table.
        sa.ForeignKeyConstraint(
            ['node_group'],
            ['nodegroups.uuid'],
            name='fk_generations0node_group',
            ondelete='CASCADE',
        ),
        **OPTIONS,
    )
    op.create_index('ix_generations_cluster_id', 'generations', ['cluster_id'])
