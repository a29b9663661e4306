"""When the clusters of a project are compared with the cloud next.

Revision ID: 009
Revises: 008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '009'
down_revision = '008'


def upgrade():
    """Add the column; a worker sets it."""
    op.add_column(
        'usages',
        sa.Column(
            'compare_at',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=True,
        ),
    )
    op.create_index('ix_usages_resource_compare_at', 'usages', ['resource', 'compare_at'])
