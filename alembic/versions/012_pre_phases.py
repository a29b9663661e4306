"""In which phase an operation is, how far, and the cursor of the next step.

Revision ID: 012
Revises: 011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = '012'
down_revision = '011'


def upgrade():
    """Add the columns; processes of release 1.0 neither read nor write them."""
    op.add_column('operations', sa.Column('phase', sa.String(32), nullable=True))
    for name in ('phase_done', 'phase_total', 'phase_first'):
        op.add_column('operations', sa.Column(name, sa.Integer(), nullable=True))
    op.add_column(
        'operations',
        sa.Column(
            'phase_since',
            sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb'),
            nullable=True,
        ),
    )
    op.add_column(
        'operations',
        sa.Column(
            'phase_cursor',
            sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb'),
            nullable=True,
        ),
    )
