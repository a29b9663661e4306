"""What stands in the way of an operation, since when, and how many workers it took down.

Revision ID: 002
Revises: 001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '002'
down_revision = '001'


def upgrade():
    """Add the columns; processes of release 1.0 write rows without them."""
    op.add_column(
        'operations',
        sa.Column(
            'trouble', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'), nullable=True
        ),
    )
    op.add_column(
        'operations',
        sa.Column(
            'trouble_since',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=True,
        ),
    )
    op.add_column(
        'operations', sa.Column('attempts', sa.Integer(), nullable=False, server_default='0')
    )
