"""Nodes that fetched their secrets.

Revision ID: 007
Revises: 005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '007'
down_revision = '005'

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
    """Make the table."""
    op.create_table(
        'enrolments',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('server_id', sa.String(36), nullable=False),
        sa.Column('node_group', sa.String(36), nullable=False),
        sa.Column('fingerprint', sa.String(64), nullable=False),
        sa.Column(
            'created_at',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=False,
        ),
        sa.UniqueConstraint('server_id', name='uniq_enrolments0server_id'),
        **OPTIONS,
    )
    op.create_index('ix_enrolments_cluster_id', 'enrolments', ['cluster_id'])
