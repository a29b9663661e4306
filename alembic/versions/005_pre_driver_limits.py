"""What a driver can at most: each version of a driver says its own limits.

Revision ID: 005
Revises: 002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '005'
down_revision = '002'


def upgrade():
    """A column that conductors of the release before need not know."""
    op.add_column(
        'drivers',
        sa.Column(
            'limits', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'), nullable=True
        ),
    )
