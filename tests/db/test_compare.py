"""A project's turn to be compared is one worker's, on every database."""

import sqlalchemy as sa

from magnum_lite.db import compare, ledger
from magnum_lite.db.engine import now
from magnum_lite.db.tables import usages
from tests.together import together


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
    won = together(*[lambda: database.write(compare.claim, row, every_s=60)] * 4)
    assert sorted(won) == [False, False, False, True]
    with database.read() as connection:
        assert compare.due(connection) == []


def test_what_was_left_of_several_stacks_is_noted_at_once(database):
    database.write(ledger.expect, 'c', ledger.PART, ['a', 'b', 'c'])
    database.write(ledger.left, 'c', {'a': '1' * 32, 'b': '2' * 32})
    with database.read() as connection:
        found = {row.name: row.external_id for row in ledger.open_entries(connection, 'c')}
        assert compare.at_rest(connection, 'p') == ([], {})
        assert compare.groups(connection, 'p') == []
        assert connection.execute(sa.select(usages)).all() == []
    assert found == {'a': '1' * 32, 'b': '2' * 32, 'c': None}
