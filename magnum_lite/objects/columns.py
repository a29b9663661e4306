"""Columns that are the same on every database."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql


class JsonText(sa.types.TypeDecorator):
    """A JSON value in a text column, the same on every database."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine:
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


def long_text() -> sa.types.TypeEngine:
    """TEXT that holds at least 1,000,000 characters."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')
