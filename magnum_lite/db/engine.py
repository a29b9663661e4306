"""The database: one engine per process, made at first use, and the two ways to use it."""

import datetime
import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import api as db_api
from oslo_db import exception as db_exc
from oslo_db.sqlalchemy import engines
from sqlalchemy import event
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import expression

from magnum_lite.db import bounds

P = ParamSpec('P')
T = TypeVar('T')
LOG = logging.getLogger(__name__)
RETRIES = 10
LOCK_WAITS = 2  # of these retries, those after waiting for a lock: each wait takes seconds
# What psycopg says of a server that may answer later; before a session is there it has no codes.
_SILENT = re.compile(
    'Connection refused|timeout expired|timed out|No route to host|'
    'Network is unreachable|Temporary failure in name resolution|reset by peer|'
    'closed the connection unexpectedly|the database system is|too many clients'
)
# What layers above name without speaking SQL.
Connection = sa.Connection
Row = sa.Row[*tuple[Any, ...]]  # of any columns
Select = sa.Select[*tuple[Any, ...]]
AWAY = (db_exc.DBError, sa.exc.SQLAlchemyError)  # raised when the database is not there
# Of these, what a later try may find otherwise: no answer, no such database yet, no connection
# left in the pool, rows that others hold.
PASSING = (
    db_exc.DBConnectionError,
    db_exc.DBNonExistentDatabase,
    db_exc.DBDeadlock,
    sa.exc.TimeoutError,
    sa.exc.OperationalError,
)
# Keeps what pooled connections do not need to say from oslo.db's options.
_ENGINE_OPTIONS = (
    'connection_recycle_time',
    'max_pool_size',
    'max_overflow',
    'pool_timeout',
    'max_retries',
    'retry_interval',
    'mysql_sql_mode',
    'connection_debug',
)


class Database:
    """The service's tables.

    Nothing is connected before the first use, so a Database may be made before a process forks.

    :param patient: whether the first use waits, as ``[database] max_retries`` says, for a database
        that is away.
    :param bounded: whether statements, locks and pauses are cut short; see ``bounds``.
    """

    def __init__(self, conf: cfg.ConfigOpts, *, patient: bool = True, bounded: bool = True):
        self._conf = conf
        self._patient = patient
        self._bounded = bounded
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None

    @property
    def engine(self) -> sa.Engine:
        """The engine of this process."""
        with self._lock:
            if self._engine is None:
                self._engine = _create(self._conf, self._patient, self._bounded)
            return self._engine

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading, in one transaction, which ends in a rollback: a commit would
        be one more round trip, since the pool rolls back anyway."""
        with self.engine.connect() as connection:
            yield connection

    def write(
        self, work: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What ``work(connection, ...)`` returns, done in one transaction.

        The only way to write. On a deadlock, which on Galera is also how the loser of a race
        learns it, the whole of ``work`` runs again: it must not do anything but SQL. So it does
        when others hold a row too long, but not as often.
        """

        @db_api.wrap_db_retry(  # type: ignore[untyped-decorator] # oslo.db has no types
            max_retries=RETRIES,
            exception_checker=_Again(),
            retry_interval=0.05,
            inc_retry_interval=True,
            max_retry_interval=1,
            jitter=True,
        )
        def attempt() -> T:
            with self.engine.connect() as connection:
                connection = connection.execution_options(magnum_writes=True)
                with connection.begin():
                    return work(connection, *args, **kwargs)

        result: T = attempt()
        return result

    def dispose(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None


class _Again:
    """Says which errors of a transaction are worth another try."""

    def __init__(self) -> None:
        self._waits = LOCK_WAITS

    def __call__(self, error: Exception) -> bool:
        if not _held(error):
            return isinstance(error, db_exc.DBDeadlock)
        self._waits -= 1
        return self._waits >= 0


def _held(error: Exception) -> bool:
    """Whether somebody held a row too long, which oslo.db takes for a deadlock, or for nothing."""
    cause = getattr(getattr(error, 'inner_exception', error), 'orig', None)
    return getattr(cause, 'sqlstate', getattr(cause, 'pgcode', None)) == '55P03' or getattr(
        cause, 'args', ()
    )[:1] == (1205,)


def _create(conf: cfg.ConfigOpts, patient: bool, bounded: bool) -> sa.Engine:
    options = {name: getattr(conf.database, name) for name in _ENGINE_OPTIONS}
    if not patient:
        options['max_retries'] = 0
    url = sa.make_url(conf.database.connection)
    if url.get_backend_name() in ('mysql', 'mariadb'):
        # oslo.db knows MariaDB's errors by this name only.
        url = url.set(drivername=f'mysql+{url.get_driver_name()}')
        if 'charset' not in url.query:
            url = url.update_query_dict({'charset': 'utf8mb4'})
    if bounded:
        url = bounds.bounded(url, conf)
    # oslo.db yields to green threads when a connection comes back; the threads here need none.
    engine = _once_there(
        options['max_retries'],
        options['retry_interval'],
        lambda: engines.create_engine(url, sqlite_fk=True, thread_checkin=False, **options),
    )
    if bounded:
        bounds.bind(engine, conf)
    if engine.dialect.name == 'sqlite':
        _tame_sqlite(engine)
    return engine


def _once_there(max_retries: int, pause_s: float, make: Callable[[], sa.Engine]) -> sa.Engine:
    """The engine, as soon as PostgreSQL answers: oslo.db waits for other servers only, since it
    does not know what psycopg 3 says."""
    for left in itertools.count(max_retries, -1):
        try:
            return make()
        except sa.exc.OperationalError as error:
            if left == 0 or not _SILENT.search(str(error.orig)):
                raise
            LOG.warning(
                'The database does not answer and is tried again: %s',
                ' '.join(str(error.orig).split()),
            )
            time.sleep(pause_s)
    raise AssertionError


def _tame_sqlite(engine: sa.Engine) -> None:
    """Let writers queue instead of failing.

    A transaction that reads and then writes fails at once with "database is locked" when another
    has committed in between, whatever the timeout: so writers take the lock with BEGIN IMMEDIATE.
    """

    @event.listens_for(engine, 'connect')
    def connect(connection: Any, record: Any) -> None:
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA busy_timeout = 60000')
        connection.execute('PRAGMA synchronous = NORMAL')

    @event.listens_for(engine, 'before_cursor_execute', retval=True)
    def begin(
        connection: sa.Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        executemany: bool,
    ) -> tuple[str, Any]:
        if statement == 'BEGIN' and connection.get_execution_options().get('magnum_writes'):
            statement = 'BEGIN IMMEDIATE'  # oslo.db emits the BEGIN
        return statement, parameters


class now(  # noqa: N801 - reads as the SQL function that it is
    expression.FunctionElement[datetime.datetime]
):
    """The database's clock, UTC with microseconds, plus seconds.

    One clock for all workers: theirs may differ.
    """

    type = sa.DateTime()
    inherit_cache = True

    def __init__(self, plus_s: float | sa.ColumnElement[Any] = 0) -> None:
        super().__init__(
            plus_s
            if isinstance(plus_s, sa.ColumnElement)
            else sa.literal(float(plus_s), sa.Float())
        )


@compiles(now, 'sqlite')
def _now_sqlite(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({seconds}) || ' seconds')"


@compiles(now, 'mysql')
@compiles(now, 'mariadb')
def _now_mysql(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f'(UTC_TIMESTAMP(6) + INTERVAL ({seconds}) * 1000000 MICROSECOND)'


@compiles(now, 'postgresql')
def _now_postgresql(element: now, compiler: Any, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"(clock_timestamp() AT TIME ZONE 'utc' + ({seconds}) * INTERVAL '1 second')"
