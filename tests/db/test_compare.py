"""A project's turn to be compared is one worker's, on every database."""

import threading

import pytest
import sqlalchemy as sa

from magnum_lite.db import compare, ledger, migrate
from magnum_lite.db.engine import Database, now
from magnum_lite.db.tables import usages


@pytest.fixture(
    params=[
        'sqlite',
        *(
            pytest.param(name, marks=getattr(pytest.mark, name))
            for name in ('mariadb', 'postgresql')
        ),
    ]
)
def database(request, connect, fresh_database, tmp_path):
    """A database of each kind with the tables of this release."""
    if request.param == 'sqlite':
        yield request.getfixturevalue('sqlite')
        return
    with fresh_database(request.getfixturevalue(f'{request.param}_url'), '') as url:
        conf = connect(url)
        migrate.upgrade(conf)
        found = Database(conf)
        yield found
        found.dispose()


def test_of_racing_workers_one_gets_a_project(database):
    database.write(
        lambda connection: connection.execute(
            usages.insert(),
            [
                {'project_id': 'p', 'resource': kind, 'in_use': 1}
                for kind in ('Cluster', 'ClusterTemplate')
            ],
        )
    )
    with database.read() as connection:
        (first,) = compare.due(connection)
    assert not database.write(compare.claim, first, every_s=60)  # its turn comes later
    with database.read() as connection:
        assert compare.due(connection) == []
    database.write(
        lambda connection: connection.execute(usages.update().values(compare_at=now(-1)))
    )
    with database.read() as connection:
        (row,) = compare.due(connection)
    barrier, won = threading.Barrier(4), []

    def claim():
        barrier.wait(30)
        won.append(database.write(compare.claim, row, every_s=60))

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(won) == [False, False, False, True]
    with database.read() as connection:
        assert compare.due(connection) == []


def test_what_was_left_of_several_stacks_is_noted_at_once(database):
    database.write(ledger.expect, 'c', ledger.STACK, ['a', 'b', 'c'])
    database.write(ledger.left, 'c', {'a': '1' * 32, 'b': '2' * 32})
    with database.read() as connection:
        found = {row.name: row.external_id for row in ledger.open_entries(connection, 'c')}
        assert compare.at_rest(connection, 'p') == ([], {})
        assert compare.groups(connection, 'p') == []
        assert connection.execute(sa.select(usages)).all() == []
    assert found == {'a': '1' * 32, 'b': '2' * 32, 'c': None}
