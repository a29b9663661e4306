"""What one process at a time does for all: sending the notifications.

Revision ID: 008
Revises: 007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '008'
down_revision = '007'

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
    """Make the table; its rows are made by those who need them."""
    op.create_table(
        'leases',
        sa.Column('id', sa.Integer(), primary_key=True),
        sa.Column('name', sa.String(64), nullable=False),
        sa.Column('owner', sa.String(255), nullable=False),
        sa.Column(
            'lease_until',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=False,
        ),
        sa.UniqueConstraint('name', name='uniq_leases0name'),
        **OPTIONS,
    )
