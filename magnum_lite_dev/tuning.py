"""What Heat, oslo.db and oslo.messaging have no option for, each with its place and its reason.

Every function changes one thing in somebody else's library and can be left out alone. All are for
the embedded Heat's own process.
"""

import ast
import sqlite3
import threading
import time
from typing import Any

import futurist
import sqlalchemy
import sqlalchemy.event
from heat.engine import scheduler, service, stack, sync_point
from heat.engine.hot import functions
from oslo_db.sqlalchemy import enginefacade
from oslo_messaging._drivers import impl_fake
from sqlalchemy.orm import Session

BUSY_TIMEOUT_MS = 60000
INTERRUPTED = 'The embedded Heat was stopped during this'


def sqlite_writers() -> None:
    """Let many threads write to SQLite without ``database is locked``.

    A transaction that begins by reading and then writes after somebody else's commit is refused
    at once, whatever the busy timeout; oslo.db 18 maps that message to no error that is retried,
    and some of Heat's writers are retried for nothing. So a writer takes the write lock before
    its first read. SQLite's own waiting polls without a queue, so the writers, which are all in
    this process, queue up here.
    """
    create_session = enginefacade._TransactionFactory._create_session

    def _create_session(self, mode, bind=None) -> Any:
        session = create_session(self, mode, bind)
        session.info['writer'] = mode is enginefacade._WRITER
        return session

    enginefacade._TransactionFactory._create_session = _create_session
    turn = threading.RLock()

    @sqlalchemy.event.listens_for(Session, 'after_begin')
    def begin(session, transaction, connection) -> None:
        if session.info.get('writer') and not transaction.nested:
            # oslo.db has sent a BEGIN already.
            connection.exec_driver_sql('ROLLBACK')
            turn.acquire()
            session.info['turn'] = True
            connection.exec_driver_sql('BEGIN IMMEDIATE')

    @sqlalchemy.event.listens_for(Session, 'after_transaction_end')
    def end(session, transaction) -> None:
        if transaction.parent is None and session.info.pop('turn', False):
            turn.release()

    @sqlalchemy.event.listens_for(sqlalchemy.Engine, 'connect')
    def connect(connection, record) -> None:
        connection.execute('PRAGMA journal_mode=WAL')
        connection.execute(f'PRAGMA busy_timeout={BUSY_TIMEOUT_MS}')


def stable_property_ids(path) -> None:
    """Make SQLite never reuse an id of ``resource_properties_data``.

    SQLite hands out the ids of deleted rows again; Heat then deletes the stored properties of a
    live resource together with a stale cached attribute and the next update of the stack fails.
    Runs after Heat's own migration and before the engine starts; twice does no harm.

    :param path: the SQLite file.
    """
    connection = sqlite3.connect(path)
    try:
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'resource_properties_data'"
        ).fetchone()
        if 'AUTOINCREMENT' in sql:
            return
        connection.executescript("""
            PRAGMA foreign_keys = OFF;
            BEGIN IMMEDIATE;
            CREATE TABLE fresh_properties_data (
                created_at DATETIME, updated_at DATETIME,
                id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                data TEXT, encrypted BOOLEAN);
            INSERT INTO fresh_properties_data (created_at, updated_at, id, data, encrypted)
                SELECT created_at, updated_at, id, data, encrypted FROM resource_properties_data;
            DROP TABLE resource_properties_data;
            ALTER TABLE fresh_properties_data RENAME TO resource_properties_data;
            COMMIT;
        """)
    finally:
        connection.close()


def end_interrupted_work(path) -> None:
    """Mark FAILED what was in progress when the engine that did it was stopped.

    Heat resets no convergence stacks at its start: a broker delivers their messages again. The
    ones of ``fake://`` are gone with the process, and such a stack would be in progress for ever.
    Runs before the engine starts.

    :param path: the SQLite file.
    """
    connection = sqlite3.connect(path)
    try:
        with connection:
            for table in ('stack', 'resource'):
                connection.execute(
                    f"UPDATE {table} SET status = 'FAILED', status_reason = ? "  # noqa: S608
                    "WHERE status = 'IN_PROGRESS'",
                    (INTERRUPTED,),
                )
            connection.execute('UPDATE resource SET engine_id = NULL')
            connection.execute('DELETE FROM stack_lock')
    finally:
        connection.close()


def fake_transport() -> None:
    """Wake the listeners of ``fake://`` when a message arrives.

    They look every 50 ms (``FakeListener.poll``), which every call would pay.
    """
    arrived = threading.Condition()
    deliver = impl_fake.FakeExchange.deliver_message

    def deliver_message(self, *args, **kwargs) -> None:
        deliver(self, *args, **kwargs)
        with arrived:
            arrived.notify_all()

    class Clock:
        time = staticmethod(time.time)

        @staticmethod
        def sleep(seconds) -> None:
            with arrived:
                arrived.wait(seconds)

    impl_fake.FakeExchange.deliver_message = deliver_message
    impl_fake.time = Clock


def short_pauses(leaf_s=0.2, step_s=0.2) -> None:
    """Shorten two pauses of a second each.

    ``Stack._converge_create_or_update`` sleeps after each leaf of the dependency graph, so a
    group of N members takes N seconds to start; ``TaskRunner._sleep`` sleeps between two checks
    of a resource. A leaf pause of 0 is worse: members that finish together collide on the stack's
    sync point and retry.
    """

    class Clock:
        time = staticmethod(time.time)

        def __init__(self, limit_s) -> None:
            self.sleep = lambda seconds: time.sleep(min(seconds, limit_s))

    stack.time, scheduler.time = Clock(leaf_s), Clock(step_s)


def forgetful_thread_groups() -> None:
    """Forget finished threads before adding one.

    ``ThreadGroup.add_thread`` keeps them all and refuses the 1001st for one stack.
    """
    add = service.ThreadGroup.add_thread

    def add_thread(self, func, *args, **kwargs) -> Any:
        with self._lock:
            self.threads = [thread for thread in self.threads if thread.is_alive()]
        return add(self, func, *args, **kwargs)

    service.ThreadGroup.add_thread = add_thread


def reused_threads() -> None:
    """Give a job to a thread that is idle, where there is one.

    ``futurist`` adds a thread with each job until the limit, which is high here, and each looks for
    work every second: hundreds of idle ones then take the interpreter from those that work.
    """
    spin_up = futurist.ThreadPoolExecutor._maybe_spin_up

    def _maybe_spin_up(self) -> bool:
        # Jobs that wait or run: with fewer of them than threads, one is or will be idle.
        return self._work_queue.unfinished_tasks >= len(self._workers) and spin_up(self)

    futurist.ThreadPoolExecutor._maybe_spin_up = _maybe_spin_up


def one_literal_at_a_time() -> None:
    """Keep two threads from being in ``ast.literal_eval`` at once.

    Python 3.11 can then fail with ``AST constructor recursion depth mismatch``, and Heat reads
    its sync points that way.
    """
    turn = threading.Lock()

    class OneAtATime:
        @staticmethod
        def literal_eval(text) -> Any:
            with turn:
                return ast.literal_eval(text)

    sync_point.ast = OneAtATime


def one_expression_at_a_time() -> None:
    """Keep two threads from being in the parser of ``yaql`` at once.

    Heat has one lexer and one parser for all, which keep their place: with two threads a right
    expression is refused now and then, ``Bad expression Parse error: unexpected end of statement``.
    """
    turn, parse = threading.Lock(), functions.Yaql._parse

    def _parse(self, expression) -> Any:
        with turn:
            return parse(self, expression)

    functions.Yaql._parse = _parse
