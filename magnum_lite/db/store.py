"""Reading and writing resources. Project scoping lives here; claims are in ``claims.py``.

Lists return rows, which have an attribute for each column: no object is made for what is only
shown. Functions take the connection of a transaction that the caller opened.
"""

import datetime
import uuid as uuid_module
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exc

from magnum_lite.db import tables
from magnum_lite.db.columns import JsonText
from magnum_lite.db.engine import Row
from magnum_lite.exceptions import Ambiguous, Invalid, NotFound, Referenced
from magnum_lite.objects import ClusterTemplate
from magnum_lite.objects.base import Resource

R = TypeVar('R', bound=Resource)
_NAMED = 10  # uuids of things with one name that an error lists


@dataclass(frozen=True)
class Scope:
    """Whose objects are seen: nobody's unless it says whose.

    :ivar project_id: one project's; None for a caller without a project.
    :ivar everything: those of all projects.
    """

    project_id: str | None = None
    everything: bool = False

    def condition(self, resource: type[Resource]) -> sa.ColumnElement[bool]:
        """The WHERE of it; public templates that are not hidden are every project's."""
        columns = tables.OF[resource].c
        if self.everything:
            return sa.true()
        if not self.project_id or 'project_id' not in columns:
            return sa.false()
        mine = columns.project_id == self.project_id
        if resource is ClusterTemplate:
            return sa.or_(mine, sa.and_(columns.public.is_(True), columns.hidden.is_(False)))
        return mine


ALL = Scope(everything=True)


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted, in which order.

    :ivar marker: uuid of the entry before it; its row id where entries have no uuid.
    """

    limit: int
    marker: str | int | None = None
    sort_key: str = 'id'
    sort_dir: str = 'asc'


def utcnow() -> datetime.datetime:
    """Now, for people to read: leases and deadlines use the database's clock."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def normal_uuid(text: str) -> str | None:
    """The usual spelling of a UUID, or None for what is none."""
    try:
        return str(uuid_module.UUID(text)) if len(text) in (32, 36) else None
    except ValueError:
        return None


def insert(connection: sa.Connection, /, *objects: Resource, **columns: Any) -> None:
    """Insert objects, those of one type in one statement; sets ``created_at``, single ones' ``id``.

    :param columns: SQL expressions in place of values, for instance times of the database's clock.
    :raises oslo_db.exception.DBDuplicateEntry: a unique key is taken.
    """
    by_type: dict[type[Resource], list[Resource]] = defaultdict(list)
    for obj in objects:
        stamped: Any = obj
        if 'created_at' in obj.fields and (
            not obj.obj_attr_is_set('created_at') or stamped.created_at is None
        ):
            stamped.created_at = utcnow()
        by_type[type(obj)].append(obj)
    for resource, found in by_type.items():
        statement = tables.OF[resource].insert()
        rows = [_naive(obj.as_row()) for obj in found]
        if len(found) == 1:
            # Values go beside the statement: in it, each would be compiled, a third of the time.
            row = {name: value for name, value in rows[0].items() if name not in columns}
            result = connection.execute(statement.values(columns), row)
            (found[0].id,) = result.inserted_primary_key or (None,)
        else:
            connection.execute(statement, rows)


def get(
    connection: sa.Connection, resource: type[R], /, ident: str, scope: Scope = ALL, **where: Any
) -> R:
    """The object with that uuid or name; a uuid in any spelling is never taken for a name.

    :param where: further columns and their values.
    :raises NotFound: there is none in the scope.
    :raises Ambiguous: several have the name.
    """
    table = tables.OF[resource]
    uuid = normal_uuid(ident)
    if not uuid and 'name' not in table.c:
        raise NotFound(noun=resource.noun, ident=ident)
    # MariaDB takes no notice of spaces at the end; the first comparison is there for the index.
    match = (
        table.c.uuid == uuid
        if uuid
        else sa.and_(table.c.name == ident, table.c.name + '.' == ident + '.')
    )
    query = (
        sa.select(table)
        .where(match, scope.condition(resource), *_where(table, where))
        .limit(_NAMED + 1)
    )
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound(noun=resource.noun, ident=ident)
    if len(rows) > 1:
        uuids = [row.uuid for row in rows[:_NAMED]] + ['...'] * (len(rows) > _NAMED)
        raise Ambiguous(noun=resource.noun, ident=ident, uuids=', '.join(uuids))
    return resource.from_row(rows[0])


def find(connection: sa.Connection, resource: type[R], /, **where: Any) -> list[R]:
    """The objects whose columns have these values (a list: any of them), in order of creation."""
    table = tables.OF[resource]
    query = sa.select(table).where(*_where(table, where)).order_by(table.c.id)
    return [resource.from_row(row) for row in connection.execute(query)]


def rows(
    connection: sa.Connection, resource: type[Resource], /, *columns: str, **where: Any
) -> Sequence[Row]:
    """As ``find``, without making objects; of all columns unless some are named."""
    table = tables.OF[resource]
    wanted: list[Any] = [table.c[name] for name in columns] or [table]
    query = sa.select(*wanted).where(*_where(table, where)).order_by(table.c.id)
    return connection.execute(query).all()


def page(
    connection: sa.Connection, resource: type[Resource], /, page: Page, scope: Scope, **where: Any
) -> Sequence[Row]:
    """One page of a list, as rows.

    :raises Invalid: the sort key is no column, or holds documents.
    :raises NotFound: there is no such marker in the scope.
    """
    table = tables.OF[resource]
    if page.sort_key not in table.c or isinstance(table.c[page.sort_key].type, JsonText | sa.Text):
        raise Invalid(path='sort_key', reason=f'{page.sort_key} is no attribute to sort by')
    conditions = [scope.condition(resource), *_where(table, where)]
    query = sa.select(table).where(*conditions).order_by(*_order(table, page)).limit(page.limit)
    if page.marker is not None:
        query = query.where(
            _after(table, page, _marker(connection, table, page.marker, conditions, resource))
        )
    return connection.execute(query).all()


def update(
    connection: sa.Connection, resource: type[Resource], /, values: dict[str, Any], **where: Any
) -> int:
    """Set columns of the rows that match, and ``updated_at``; the number of rows that did."""
    table = tables.OF[resource]
    values = _naive(values)
    if 'updated_at' in table.c:
        values.setdefault('updated_at', utcnow())
    expressions = {
        name: value for name, value in values.items() if isinstance(value, sa.ClauseElement)
    }
    statement = table.update().where(*_where(table, where)).values(expressions)
    row = {name: value for name, value in values.items() if name not in expressions}
    return connection.execute(statement, row).rowcount


def delete(connection: sa.Connection, resource: type[Resource], /, **where: Any) -> int:
    """Delete the rows that match; their number.

    :raises Referenced: clusters are made of a template.
    """
    table = tables.OF[resource]
    try:
        return connection.execute(table.delete().where(*_where(table, where))).rowcount
    except db_exc.DBReferenceError as error:
        raise Referenced(template=', '.join(map(str, where.values()))) from error


def count(
    connection: sa.Connection, resource: type[Resource], /, scope: Scope = ALL, **where: Any
) -> int:
    """The number of rows that match."""
    table = tables.OF[resource]
    query = (
        sa.select(sa.func.count())
        .select_from(table)
        .where(scope.condition(resource), *_where(table, where))
    )
    return connection.execute(query).scalar_one()


def count_by(
    connection: sa.Connection, resource: type[Resource], /, *columns: str, scope: Scope = ALL
) -> dict[tuple[Any, ...], int]:
    """``{(value, ...): number of rows}`` for each combination of values of some columns."""
    keys = [tables.OF[resource].c[name] for name in columns]
    query = sa.select(*keys, sa.func.count()).where(scope.condition(resource)).group_by(*keys)
    return {tuple(row[:-1]): row[-1] for row in connection.execute(query)}


def _where(table: sa.Table, where: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [
        table.c[name].in_(value)
        if isinstance(value, list | tuple | set | frozenset)
        else table.c[name] == value
        for name, value in where.items()
    ]


def _naive(values: dict[str, Any]) -> dict[str, Any]:
    """Without zones: columns hold UTC."""
    return {
        name: value.astimezone(datetime.UTC).replace(tzinfo=None)
        if isinstance(value, datetime.datetime) and value.tzinfo
        else value
        for name, value in values.items()
    }


def _marker(
    connection: sa.Connection,
    table: sa.Table,
    marker: str | int,
    conditions: list[sa.ColumnElement[bool]],
    resource: type[Resource],
) -> Row:
    key = table.c.uuid if 'uuid' in table.c else table.c.id
    row = connection.execute(sa.select(table).where(key == marker, *conditions)).first()
    if row is None:
        raise NotFound(noun=resource.noun, ident=marker)
    return row


def _order(table: sa.Table, page: Page) -> list[Any]:
    column = table.c[page.sort_key]
    keys: list[Any] = [column] if column is table.c.id else [column, table.c.id]
    if column.nullable:  # databases disagree on where NULL sorts: before everything here
        keys.insert(0, sa.case((column.is_(None), 0), else_=1))
    return [key.desc() if page.sort_dir == 'desc' else key.asc() for key in keys]


def _after(table: sa.Table, page: Page, marker: Row) -> sa.ColumnElement[bool]:
    column, ident = table.c[page.sort_key], table.c.id
    value = marker._mapping[page.sort_key]
    down = page.sort_dir == 'desc'
    later: sa.ColumnElement[bool] = ident < marker.id if down else ident > marker.id
    if column is ident:
        return later
    if value is None:
        return (
            sa.and_(column.is_(None), later)
            if down
            else sa.or_(column.is_not(None), sa.and_(column.is_(None), later))
        )
    beyond = column < value if down else column > value
    rest = sa.or_(beyond, sa.and_(column == value, later))
    return sa.or_(column.is_(None), rest) if down and column.nullable else rest
