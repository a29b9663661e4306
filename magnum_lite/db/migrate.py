"""Moving a database to the schema of this release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from oslo_config import cfg

from magnum_lite.db.engine import Database

SCRIPTS = Path(__file__).parent.parent / 'migrations'


def upgrade(conf: cfg.ConfigOpts, revision: str = 'head') -> None:
    """Run the migrations up to ``revision``, however long they take; running none is fine."""
    database = Database(conf, bounded=False)
    try:
        with database.engine.connect() as connection:
            config = _config()
            config.attributes['connection'] = connection
            command.upgrade(config, revision)
    finally:
        database.dispose()


def current(conf: cfg.ConfigOpts) -> str | None:
    """The revision of the database, None for an empty one."""
    with _reading(conf) as connection:
        return _current(connection)


def head() -> str:
    """The revision that this release wants."""
    (head,) = ScriptDirectory.from_config(_config()).get_heads()
    return head


def pending(conf: cfg.ConfigOpts) -> list[str]:
    """Revisions that ``upgrade`` would run, in order."""
    with _reading(conf) as connection:
        return missing(connection)


def missing(connection: sa.Connection) -> list[str]:
    """Revisions that the database lacks, in order; none where a later release has migrated it,
    beside which this one works."""
    revisions = [
        found.revision for found in ScriptDirectory.from_config(_config()).walk_revisions()
    ][::-1]
    found = _current(connection)
    if found is None:
        return revisions
    return revisions[revisions.index(found) + 1 :] if found in revisions else []


@contextmanager
def _reading(conf: cfg.ConfigOpts) -> Iterator[sa.Connection]:
    """A connection of its own."""
    database = Database(conf)
    try:
        with database.read() as connection:
            yield connection
    finally:
        database.dispose()


def _current(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option('script_location', str(SCRIPTS))
    config.set_main_option('path_separator', 'os')
    return config
