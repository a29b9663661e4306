"""What failed in the cloud when an operation failed, as data.

Revision ID: 013
Revises: 012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '013'
down_revision = '012'


def upgrade():
    """A column that processes of the release before need not know."""
    op.add_column(
        'operations',
        sa.Column(
            'causes', sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'), nullable=True
        ),
    )
