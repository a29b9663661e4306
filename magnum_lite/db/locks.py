"""Taking rows without waiting for those that others hold: for what comes again by the clock.

No work is divided by it, so it need not hold between Galera's nodes.
"""

from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa

from magnum_lite.db.engine import Select

Hinted = TypeVar('Hinted', Select, sa.Update)


def free_rows(connection: sa.Connection, table: sa.Table, ids: Sequence[int]) -> list[int]:
    """Those of some rows that no other transaction holds; they are this one's now."""
    if not ids:
        return []
    query = by_id(sa.select(table.c.id), table).where(table.c.id.in_(ids))
    return list(connection.execute(query.with_for_update(skip_locked=True)).scalars())


def by_id(statement: Hinted, table: sa.Table) -> Hinted:
    """The statement, which finds its rows by the primary key: MariaDB locks all that it looks at,
    and looks at all rows of a small table unless it is told."""
    return statement.with_hint(text='FORCE INDEX (PRIMARY)', selectable=table, dialect_name='mysql')
