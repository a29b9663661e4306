"""Migrations bring a database to what the models say, on every database."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from magnum_lite.db import migrate, store, tables
from magnum_lite.db.engine import Database
from magnum_lite.objects import Certificate, Operation

# What a server may have for a default, and what must not matter.
HOW = {'mariadb': 'CHARACTER SET latin1', 'postgresql': ''}


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in HOW])
def server(request, connect, fresh_database):
    """The configuration of an empty database on each kind of server."""
    url = request.getfixturevalue(f'{request.param}_url')
    with fresh_database(url, HOW[request.param]) as database:
        yield connect(database)


def _differences(conf):
    database = Database(conf)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={'compare_type': True})
        differences = compare_metadata(context, tables.METADATA)
    database.dispose()
    return differences


def test_an_empty_database_is_brought_to_the_models(connect, tmp_path):
    conf = connect(f'sqlite:///{tmp_path}/m.sqlite')
    assert migrate.current(conf) is None and migrate.pending(conf)[0] == '001'
    migrate.upgrade(conf)
    assert migrate.current(conf) == migrate.head() and migrate.pending(conf) == []
    migrate.upgrade(conf)  # once more is fine
    assert _differences(conf) == []


def test_an_empty_database_on_a_server_is_brought_to_the_models(server):
    migrate.upgrade(server)
    assert migrate.current(server) == migrate.head()
    assert _differences(server) == []


def test_release_1_0_writes_operations_without_the_columns_of_later_ones(server):
    migrate.upgrade(server)
    database = Database(server)
    row = Operation.new(
        cluster_id='c', kind='create', cluster_version=1, reason='r', project_id='p', user_id='u'
    ).as_row()
    later = {name for name, field in Operation.fields.items() if field.added != '1.0'}
    assert later
    database.write(
        lambda connection: connection.execute(
            tables.operations.insert().values(
                {name: value for name, value in row.items() if name not in later}
            )
        )
    )
    with database.read() as connection:
        found = Operation.from_row(connection.execute(sa.select(tables.operations)).one())
    assert (found.attempts, found.trouble, found.trouble_since) == (0, None, None)
    assert (found.phase, found.phase_done, found.phase_cursor) == (None, None, None)
    database.dispose()


def test_release_1_0_writes_certificates_without_the_columns_of_later_ones(server):
    migrate.upgrade(server)
    database = Database(server)
    row = Certificate.new(
        cluster_id='c', purpose='p', pem='x', key_ref='k', not_after=store.utcnow()
    ).as_row()
    del row['cross_pem']
    database.write(lambda connection: connection.execute(tables.certificates.insert().values(row)))
    with database.read() as connection:
        (found,) = store.find(connection, Certificate, cluster_id='c')
    assert found.cross_pem is None
    database.dispose()


def test_names_compare_exactly_and_hold_any_character(server):
    """Whatever the database's own character set and collation are."""
    migrate.upgrade(server)
    database = Database(server)
    for name in ('Foo', 'foo', 'f\u00f6o', '\U0001f680'):
        database.write(
            lambda connection, name=name: connection.execute(
                tables.usages.insert().values(project_id=name, resource='Cluster', in_use=0)
            )
        )
    with database.read() as connection:
        found = (
            connection.execute(
                sa.select(tables.usages.c.project_id).where(
                    tables.usages.c.project_id.in_(['foo', '\U0001f680'])
                )
            )
            .scalars()
            .all()
        )
    assert sorted(found) == ['foo', '\U0001f680']
    database.dispose()


def test_rows_are_never_numbered_twice(sqlite):
    """Row ids are the order of creation, for markers too: SQLite must not use them again."""

    def insert(connection):
        return connection.execute(
            tables.usages.insert().values(project_id='p', resource='Cluster', in_use=0)
        ).inserted_primary_key[0]

    first = sqlite.write(insert)
    sqlite.write(lambda connection: connection.execute(tables.usages.delete()))
    assert sqlite.write(insert) > first
