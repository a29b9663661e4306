"""Which nodes a group has and had: on each database, and until when it is remembered."""

import datetime

import pytest
import sqlalchemy as sa

from magnum_lite.db import members, purge, store
from magnum_lite.db.tables import ledger
from magnum_lite.driver_sdk import Status
from magnum_lite.objects import Cluster
from tests.db.test_purge import History

GROUP = 'a0000000-8a55-4d5e-9d0a-2f5b6c7d8e91'


class Group:
    """A group of a cluster in version 1."""

    def __init__(self, database):
        self.database = database
        self.cluster = History(database).cluster('here')[0]

    def note(self, *, version=None, state='COMPLETE', of=GROUP, **found):
        """Let ``{_index: server}`` be the nodes, and there be no other group."""
        self.database.write(
            members.note,
            self.cluster.uuid,
            Status(
                'COMPLETE',
                group_states={of: state},
                group_members={of: {index[1:]: server for index, server in found.items()}},
            ),
            version=version,
        )

    def had(self, *nodes):
        with self.database.read() as connection:
            return members.had(connection, self.cluster.uuid, GROUP, nodes)

    def never(self, *nodes):
        with self.database.read() as connection:
            cluster = store.get(connection, Cluster, self.cluster.uuid)
            return members.never(connection, cluster, GROUP, nodes)

    def purge(self):
        """Drop what is a day old, two days from now."""
        long_ago = store.utcnow() - datetime.timedelta(days=40)
        shift = datetime.timedelta(days=1)

        def age(connection):
            for row in connection.execute(sa.select(ledger)).all():
                later = row.closed_at and row.closed_at != row.created_at
                connection.execute(
                    ledger.update()
                    .where(ledger.c.id == row.id)
                    .values(
                        created_at=long_ago,
                        closed_at=row.closed_at and (long_ago + shift if later else long_ago),
                    )
                )

        self.database.write(age)
        list(purge.old(self.database, days=30))


@pytest.fixture
def group(sqlite):
    """A group of a cluster that is complete."""
    return Group(sqlite)


def remembers(group):
    """Nodes come and go."""
    group.note(_0='s0', _1='s1', version=1)
    assert group.never('s0', '1', 's2', '2', 'S0', 's0 ') == ['s2', '2', 'S0', 's0 ']
    group.note(_0='s0', _2='s2', version=1)
    assert group.had('s0', 's1', 's2', '1', '2', 's3') == {'s0', 's1', 's2', '1', '2'}
    assert group.never('s1', 's3') == ['s3']
    group.note(_0='s0', version=1)
    group.note(_0='s0', _2='s2', version=1)  # Heat did not show it for a while
    group.database.write(members.name, group.cluster.uuid, GROUP, ['s2', 'named'])
    assert group.never('named') == [] and group.had('s2') == {'s2'}


def test_a_group_remembers_its_nodes(group):
    remembers(group)


def test_it_does_on_a_server(served):
    remembers(Group(served))


def test_nobody_knows_while_the_group_may_get_nodes(group):
    assert group.never('x') == []  # nothing was noted yet
    group.note(_0='s0')
    assert group.never('x') == []  # a change waits
    group.note(_0='s0', version=1, state='IN_PROGRESS')
    assert group.never('x') == []  # Heat is still at work
    group.note(_0='s0', version=1)
    assert group.never('x') == ['x']
    group.database.write(store.update, Cluster, {'version': 2}, uuid=group.cluster.uuid)
    assert group.never('x') == []  # a change was accepted since then


def test_old_nodes_are_forgotten_and_those_that_are_there_never(group):
    group.note(_0='s0', _1='s1', version=1)
    group.note(_0='s0', version=1)
    group.note(_1='s1', version=1)
    group.note(_0='s0', _2='s2', version=1)
    group.purge()
    assert group.had('s0', 's1', 's2') == {'s0', 's2'} and group.never('s0', 's1') == ['s1']


def test_nothing_is_left_of_groups_that_come_and_go(group):
    for number in range(3):
        group.note(version=1, of=f'{number}{GROUP[1:]}', _0=f's{number}')
    group.note(_0='s0', version=1)
    group.purge()
    with group.database.read() as connection:
        left = connection.execute(sa.select(ledger).where(ledger.c.kind.startswith('member'))).all()
    assert {row.kind for row in left} == {f'member {GROUP}', 'members'} and len(left) == 2
