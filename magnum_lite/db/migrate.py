"""Moving a database to the schema of this release."""

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
    database = Database(conf)
    try:
        with database.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        database.dispose()


def head() -> str:
    """The revision that this release wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def pending(conf: cfg.ConfigOpts) -> list[str]:
    """Revisions that ``upgrade`` would run, in order."""
    script = ScriptDirectory.from_config(_config())
    found = [r.revision for r in script.iterate_revisions(head(), current(conf) or 'base')]
    return list(reversed(found))


def _config() -> Config:
    config = Config()
    config.set_main_option('script_location', str(SCRIPTS))
    config.set_main_option('path_separator', 'os')
    return config


def is_empty(conf: cfg.ConfigOpts) -> bool:
    """Whether the database has no table at all."""
    database = Database(conf)
    try:
        return not sa.inspect(database.engine).get_table_names()
    finally:
        database.dispose()
