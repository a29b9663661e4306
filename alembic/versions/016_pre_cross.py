"""Certificates that the authority before has signed for the next one.

Revision ID: 016
Revises: 015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '016'
down_revision = '015'


def upgrade():
    """A column that processes of release 1.0 need not know."""
    op.add_column(
        'certificates',
        sa.Column(
            'cross_pem',
            sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'),
            nullable=True,
        ),
    )
