"""Connections, hosts and rows that go silent: everybody else moves on within the bounds."""

import contextlib
import time
import uuid

import pytest
import sqlalchemy as sa

from magnum_lite.db import bounds, claims, migrate, services, store
from magnum_lite.db.engine import AWAY, PASSING, Database
from magnum_lite.db.tables import operations
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.doors import Door, before

FAR_S = 40  # what only an unbounded wait takes


@pytest.fixture
def conf(connect, server_database):
    """A configuration with short bounds, and the tables in its database."""
    conf = connect(server_database)
    migrate.upgrade(conf)
    _bounds(conf)
    return conf


def _bounds(conf, **bounds):
    values = {'connect_s': 2, 'statement_s': 2, 'lock_wait_s': 1, 'idle_transaction_s': 2, **bounds}
    for name, value in values.items():
        conf.set_override(name, value, group='database')


@pytest.fixture
def database(conf):
    """Its tables."""
    database = Database(conf)
    yield database
    database.dispose()


def _operation(database, owner):
    operation = Operation.new(
        cluster_id=uuid.uuid4().hex,
        kind='create',
        reason='',
        project_id='p',
        user_id='ann',
        identity={},
        target={},
        state='WAITING',
        slot='run',
        owner=owner,
        cluster_version=1,
    )
    database.write(store.insert, operation)
    return operation.uuid


def _touch(connection, ident, text='touched'):
    connection.execute(operations.update().where(operations.c.uuid == ident).values(progress=text))


def _lease(database, ident):
    with database.read() as connection:
        return connection.execute(
            sa.select(operations.c.lease_until).where(operations.c.uuid == ident)
        ).scalar_one()


def test_a_connection_that_goes_silent_is_given_up_and_the_next_one_works(conf, server_database):
    with contextlib.ExitStack() as stack:
        door, url = before(stack.enter_context, Door, server_database)
        conf.set_override('connection', url, group='database')
        database = Database(conf)
        ident = _operation(database, 'me')
        door.fault = 'freeze'
        began = time.monotonic()
        with pytest.raises(AWAY):
            database.write(_touch, ident)
        with pytest.raises(PASSING):  # nor can anything be connected
            database.write(_touch, ident)
        assert time.monotonic() - began < FAR_S
        door.fault = None
        database.write(_touch, ident)
        database.dispose()


def test_a_transaction_that_its_process_left_open_frees_its_rows(database):
    ident = _operation(database, 'me')
    with pytest.raises(AWAY), database.engine.connect() as stopped:
        with stopped.begin():
            _touch(stopped, ident, 'by who was stopped')
            began = time.monotonic()
            database.write(_touch, ident, 'by another')
            assert time.monotonic() - began < FAR_S
            _touch(stopped, ident, 'too late')
    with database.read() as connection:
        assert store.get(connection, Operation, ident).progress == 'by another'


def test_rows_that_are_held_too_long_are_tried_again_and_then_given_up(conf, database):
    _bounds(conf, idle_transaction_s=60)
    ident = _operation(database, 'me')
    tries = []

    def touch(connection):
        tries.append(ident)
        _touch(connection, ident)

    with database.engine.connect() as other, other.begin():
        _touch(other, ident, 'held')
        began = time.monotonic()
        with pytest.raises(PASSING):
            database.write(touch)
        assert len(tries) == 3 and time.monotonic() - began < FAR_S
    database.write(touch)


def test_a_heartbeat_does_not_wait_for_a_row_that_another_holds(conf, database):
    """Neither another owner's, nor an own one, nor that of the host."""
    _bounds(conf, lock_wait_s=60, idle_transaction_s=60, statement_s=90)
    beat = {'owner': 'me', 'lease_s': 30}
    report = {'host': 'here', 'plugins': {}}
    database.write(services.report, **report)
    mine, held, others = (
        _operation(database, 'me'),
        _operation(database, 'me'),
        _operation(database, 'other'),
    )
    with database.engine.connect() as stopped:
        with stopped.begin():
            _touch(stopped, others)
            began = time.monotonic()
            assert database.write(claims.heartbeat, **beat) == 2
            _touch(stopped, held)
            stopped.execute(services.services.update().values(report_count=7))
            before = _lease(database, mine), _lease(database, held)
            assert database.write(claims.heartbeat, **beat) == 1
            database.write(services.report, **report)
            assert time.monotonic() - began < FAR_S
            assert _lease(database, mine) > before[0] and _lease(database, held) == before[1]
    assert database.write(claims.heartbeat, **beat) == 2


def test_a_heartbeat_takes_no_row_of_another(database):
    """Who beats holds only its own rows: others may change theirs meanwhile."""
    _operation(database, 'me')
    others = _operation(database, 'other')
    with database.engine.connect() as beating:
        with beating.begin():
            assert claims.heartbeat(beating, owner='me', lease_s=30) == 1
            database.write(_touch, others)


def test_what_the_url_says_wins(conf, server_database):
    url = sa.make_url(server_database)
    if url.get_backend_name() == 'postgresql':
        ask, asked = "current_setting('lock_timeout')", {'options': '-c lock_timeout=7s'}
        idle = "current_setting('idle_in_transaction_session_timeout')"
    else:
        ask, idle = '@@innodb_lock_wait_timeout', '@@idle_transaction_timeout'
        asked = {'init_command': 'SET SESSION innodb_lock_wait_timeout = 7', 'read_timeout': '9'}
    conf.set_override(
        'connection', url.update_query_dict(asked).render_as_string(False), group='database'
    )
    database = Database(conf)
    with database.read() as connection:
        found = connection.execute(sa.text(f'SELECT {ask}, {idle}')).one()
    assert [str(value).removesuffix('s') for value in found] == ['7', '2']
    database.dispose()


@pytest.mark.mariadb
def test_a_node_of_galera_is_told_to_catch_up_and_other_servers_may_not_know_how(
    connect, mariadb_url, fresh_database, monkeypatch
):
    with fresh_database(mariadb_url) as url:
        conf = connect(url)
        database = Database(conf)
        with database.read() as connection:
            assert connection.execute(sa.text('SELECT @@wsrep_sync_wait')).scalar() == 7
        database.dispose()
        monkeypatch.setattr(bounds, '_CAUSAL', 'SET SESSION no_such_variable = 7')
        with database.read() as connection:
            assert connection.execute(sa.text('SELECT 1')).scalar() == 1
        database.dispose()


def test_migrations_are_not_cut_short(conf, monkeypatch):
    seen = []

    def upgrade(config, revision):
        connection = config.attributes['connection']
        ask = (
            "current_setting('statement_timeout')"
            if connection.dialect.name == 'postgresql'
            else '@@max_statement_time'
        )
        seen.append(connection.execute(sa.text(f'SELECT {ask}')).scalar())

    monkeypatch.setattr(migrate.command, 'upgrade', upgrade)
    migrate.upgrade(conf)
    assert float(seen[0]) == 0
