"""Columns that are the same on every database, and which of them holds a type of attribute."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from magnum_lite.objects import fields


class JsonText(sa.types.TypeDecorator[Any]):
    """A JSON value in a text column, the same on every database."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        """TEXT; 16 MiB on MariaDB."""
        return long_text()

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Value to text."""
        return None if value is None else json.dumps(value, separators=(',', ':'), sort_keys=True)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Text to value."""
        if value == '{}':  # most maps and lists of a page are empty: no parser for those
            return {}
        if value == '[]':
            return []
        return None if value is None else json.loads(value)


def column_type(kind: fields.Type) -> sa.types.TypeEngine[Any]:
    """The type of the column that holds attributes of a type."""
    match kind:
        case fields.Text():
            return long_text()
        case fields.String():
            return sa.String(kind.max)
        case fields.Integer():
            return sa.Integer()
        case fields.Boolean():
            return sa.Boolean()
        case fields.DateTime():
            return moment()
        case fields.Json():
            return JsonText()
    raise TypeError(f'no column holds the type {type(kind).__name__}')


def moment() -> sa.types.TypeEngine[Any]:
    """DATETIME with microseconds, without a zone."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


def long_text() -> sa.types.TypeEngine[str]:
    """TEXT that holds at least 1,000,000 characters."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')
