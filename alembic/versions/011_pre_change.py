"""What an operation makes of its cluster.

Revision ID: 011
Revises: 010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '011'
down_revision = '010'


def upgrade():
    """Add the column; release 1.0 writes and reads two others that say the same."""
    op.add_column(
        'operations',
        sa.Column(
            'change', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'), nullable=True
        ),
    )
