"""Whose turn it is to have its health looked at.

Revision ID: 010
Revises: 009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '010'
down_revision = '009'

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
    """Make the table; workers make its rows, which go with their clusters."""
    op.create_table(
        'looks',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('cluster_id', sa.String(36), nullable=False),
        sa.Column('fence', sa.Integer(), nullable=False),
        sa.Column(
            'check_at',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=False,
        ),
        sa.UniqueConstraint('cluster_id', name='uniq_looks0cluster_id'),
        # A conductor of release 1.0 deletes clusters too, and does not know this table.
        sa.ForeignKeyConstraint(
            ['cluster_id'], ['clusters.uuid'], name='fk_looks0cluster_id', ondelete='CASCADE'
        ),
        **OPTIONS,
    )
    op.create_index('ix_looks_check_at', 'looks', ['check_at'])
