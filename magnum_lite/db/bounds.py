"""How long the database may keep us, and we the database: limits of every connection.

Set for each session when it is made, so they hold whatever the server's own defaults are; what the
operator's URL says of the same things wins.
"""

from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from sqlalchemy import event

GRACE_S = 1  # the server gives a statement up first: it knows why, and lets go of its locks
_TIMED = ('pymysql', 'mysqldb', 'mariadbconnector')  # drivers that time each read and write
# At a node of Galera every kind of transaction waits until it has what the others accepted before.
_CAUSAL = 'SET SESSION wsrep_sync_wait = 7'
_UNKNOWN_VARIABLE = 1193
_LIBPQ = ('psycopg', 'psycopg2')


def bounded(url: sa.URL, conf: cfg.ConfigOpts) -> sa.URL:
    """The URL with what its driver takes as arguments, where it does not say so itself."""
    bounds = conf.database
    driver = url.get_driver_name()
    arguments: dict[str, str] = {}
    if driver in _TIMED:
        arguments = {
            'connect_timeout': str(bounds.connect_s),
            'read_timeout': str(bounds.statement_s + GRACE_S),
            'write_timeout': str(bounds.statement_s + GRACE_S),
        }
    elif driver in _LIBPQ:
        arguments = {
            'connect_timeout': str(bounds.connect_s),
            'tcp_user_timeout': str((bounds.statement_s + GRACE_S) * 1000),
        }
    url = url.update_query_dict(
        {name: value for name, value in arguments.items() if name not in url.query}
    )
    return _with_options(url, conf) if driver in _LIBPQ else url


def bind(engine: sa.Engine, conf: cfg.ConfigOpts) -> None:
    """Let the connections that an engine makes from now on have the limits that no URL can say."""
    if engine.dialect.name in ('mysql', 'mariadb'):
        _bind_mysql(engine, conf)
    elif engine.dialect.driver == 'psycopg':
        _bind_psycopg(engine, conf.database.statement_s + GRACE_S)
    else:
        return
    engine.dispose()  # those that it has already


def _with_options(url: sa.URL, conf: cfg.ConfigOpts) -> sa.URL:
    """The URL with the settings of a PostgreSQL session; of two the last, the operator's, holds."""
    bounds = conf.database
    ours = (
        f'-c statement_timeout={bounds.statement_s}s -c lock_timeout={bounds.lock_wait_s}s '
        f'-c idle_in_transaction_session_timeout={bounds.idle_transaction_s}s'
    )
    given = url.query.get('options', '')
    theirs = given if isinstance(given, str) else ' '.join(given)
    return url.update_query_dict({'options': f'{ours} {theirs}'.strip()})


def _bind_mysql(engine: sa.Engine, conf: cfg.ConfigOpts) -> None:
    bounds = conf.database
    statement = (
        f'SET SESSION innodb_lock_wait_timeout = {bounds.lock_wait_s}'
        # MySQL, which has neither, reads a comment.
        f'/*M!100300 , idle_transaction_timeout = {bounds.idle_transaction_s}'
        f', max_statement_time = {bounds.statement_s} */'
    )
    given = engine.url.query.get('init_command')
    dbapi: Any = engine.dialect.dbapi

    @event.listens_for(engine, 'connect')
    def connect(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        try:
            cursor.execute(_CAUSAL)
        except dbapi.Error as error:
            if error.args[0] != _UNKNOWN_VARIABLE:  # of MySQL, and of MariaDB without Galera
                raise
        if given:  # it ran already, before ours
            cursor.execute(given)
        cursor.close()


def _bind_psycopg(engine: sa.Engine, most_s: float) -> None:
    """Bound each wait for an answer: libpq itself waits as long as the other end's TCP answers."""
    dbapi: Any = engine.dialect.dbapi

    class Connection(dbapi.Connection):  # type: ignore[misc] # psycopg need not be here
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().wait(gen, *args, **{'timeout': most_s, **kwargs})
            except dbapi.errors._WaitTimeout as error:
                self.close()
                raise dbapi.OperationalError(f'no answer in {most_s} s') from error

    @event.listens_for(engine, 'do_connect')
    def connect(dialect: Any, record: Any, args: Any, kwargs: Any) -> Any:
        return Connection.connect(*args, **kwargs)
