"""History that is old goes, in small transactions; what is, stays."""

import datetime
import subprocess
import sys
from collections import Counter

import pytest
import sqlalchemy as sa

from magnum_lite.cmd import manage
from magnum_lite.db import claims, journal, ledger, outbox, purge, settle, store
from magnum_lite.db.tables import METADATA, steps
from magnum_lite.driver_sdk import Status
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, Operation
from magnum_lite.objects.change import Change, Values, new
from magnum_lite.objects.operation import OPEN
from tests import fixtures

LONG_AGO = store.utcnow() - datetime.timedelta(days=40)


class History:
    """Clusters and what became of them."""

    def __init__(self, database):
        self.database = database
        self.template = ClusterTemplate.new(
            name='t', coe='c', image_id='i', project_id='p', user_id='u'
        )
        database.write(store.insert, self.template)

    def ask(self, cluster, change, node_group=None):
        operation = Operation.new(
            cluster_id=cluster.uuid,
            kind=change.kind,
            reason=change.kind,
            project_id='p',
            user_id='u',
            node_group=node_group,
        )
        fixtures.accepted(self.database, cluster, operation, change)
        return operation

    def cluster(self, name):
        """A complete cluster, and its operation."""
        cluster = Cluster.new(
            name=name,
            cluster_template_id=self.template.uuid,
            user_id='u',
            driver='d',
            driver_version=1,
            project_id='p',
            status='CREATE_IN_PROGRESS',
        )
        group = NodeGroup.new(
            name='w',
            cluster_id=cluster.uuid,
            role='worker',
            project_id='p',
            status='CREATE_IN_PROGRESS',
            is_default=True,
        )
        operation = self.ask(cluster, Change('create', added={group.uuid: new(group)}))
        self.database.write(ledger.expect, cluster.uuid, ledger.PART, ['base'])
        return cluster, group, self.end(operation)

    def resize(self, cluster, group, *, ends=True):
        operation = self.ask(
            cluster,
            Change('resize', at_once=Values(groups={group.uuid: {'node_count': 3}})),
            group.uuid,
        )
        return self.end(operation) if ends else operation

    def delete(self, cluster):
        operation = self.ask(cluster, Change('delete'))
        self.database.write(ledger.close, cluster.uuid, ledger.PART, ['base'])
        return self.end(operation, settle.gone)

    def end(self, operation, how=None):
        self.database.write(claims.claim, operation.uuid, owner='w', lease_s=60)
        now = self.database.write(claims.step, operation.uuid, owner='w', lease_s=60)
        self.database.write(journal.note, now, 'a step')
        self.database.write(how, now) if how else self.database.write(
            settle.done, now, Status('COMPLETE')
        )
        return operation

    def age(self):
        """Let all that ended, was sent or was closed have been so long ago."""

        def change(connection):
            ids = [row.id for row in outbox.unsent(connection, limit=99)][:-1]
            outbox.sent(connection, ids)
            for table in METADATA.tables.values():
                for column in ('ended_at', 'sent_at', 'closed_at'):
                    if column in table.c:
                        connection.execute(
                            table.update()
                            .where(table.c[column].is_not(None))
                            .values({column: LONG_AGO})
                        )

        self.database.write(change)


def counts(database):
    """{table: rows} of those that have some."""
    with database.read() as connection:
        return Counter(
            {
                name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for name, table in METADATA.tables.items()
            }
        )


def fill(database):
    """An old deleted cluster, an old one that exists, one that is being changed; and, younger than
    all, a deleted one. The uuids of the operations that have to stay."""
    history = History(database)
    gone = history.cluster('gone')[0]
    history.delete(gone)
    cluster, group, _ = history.cluster('here')
    newest = history.resize(cluster, group)
    busy, busy_group, _ = history.cluster('busy')
    working = history.resize(busy, busy_group, ends=False)
    history.age()
    young = history.cluster('young')
    return {newest.uuid, working.uuid, young[2].uuid, history.delete(young[0]).uuid}


def kept(database):
    with database.read() as connection:
        return {row.uuid for row in store.rows(connection, Operation)}


def check(database):
    wanted = fill(database)
    before = counts(database)
    counted = sum(purge.old(database, days=30, dry=True), Counter())
    assert counts(database) == before
    dropped = sum(purge.old(database, days=30, size=2), Counter())
    assert dropped == counted == before - counts(database)
    assert kept(database) == wanted
    assert set(dropped) == {'operations', 'steps', 'cluster_versions', 'outbox', 'ledger'}
    assert dropped['operations'] == dropped['cluster_versions'] == 4 and dropped['ledger'] == 1
    with database.read() as connection:
        assert store.count(connection, Cluster) == 2
        assert store.count(connection, Operation, state=OPEN) == 1
        assert len(outbox.unsent(connection, limit=99)) >= 1
    assert not sum(purge.old(database, days=30), Counter())


def test_what_ended_long_ago_goes_and_what_is_stays(sqlite):
    check(sqlite)


def test_so_it_is_on_a_server(served):
    check(served)


def test_of_the_newest_operation_what_is_not_shown_goes_once_it_is_old(sqlite, monkeypatch):
    """Signing certificates adds to its journal, and it stays as long as its cluster."""
    cluster, _, operation = History(sqlite).cluster('here')
    for number in range(20):
        sqlite.write(journal.note_cluster, cluster.uuid, f'signed {number}')
        if number == 12:
            sqlite.write(
                lambda connection: connection.execute(steps.update().values(created_at=LONG_AGO))
            )

    def shown(limit):
        with sqlite.read() as connection:
            return [row.text for row in journal.steps_of(connection, operation.uuid, limit=limit)]

    for most, goes, stays in ((9, 13, 9), (5, 2, 7)):  # the last seven are not old
        monkeypatch.setattr(journal, 'MOST', most)
        for dry in (True, False):
            assert sum(purge.old(sqlite, days=30, dry=dry, size=3), Counter())['steps'] == goes
        assert shown(99) == [f'signed {number}' for number in range(20 - stays, 20)]


def test_a_step_that_goes_with_its_operation_is_counted_once(sqlite, monkeypatch):
    fill(sqlite)
    sqlite.write(lambda connection: connection.execute(steps.update().values(created_at=LONG_AGO)))
    monkeypatch.setattr(journal, 'MOST', 1)  # all others of an operation are not shown
    counted = sum(purge.old(sqlite, days=30, dry=True, size=3), Counter())
    assert sum(purge.old(sqlite, days=30, size=3), Counter()) == counted


def test_the_command_counts_first_and_drops_when_told(sqlite, tmp_path):
    wanted = fill(sqlite)
    file = tmp_path / 'magnum-lite.conf'
    file.write_text(f'[database]\nconnection = sqlite:///{tmp_path}/m.sqlite\n')

    def run(*arguments):
        return subprocess.run(
            [
                sys.executable,
                '-c',
                'from magnum_lite.cmd.manage import main; raise SystemExit(main())',
                '--config-file',
                file,
                'db',
                'purge',
                *arguments,
            ],
            check=True,
            text=True,
            capture_output=True,
        ).stdout

    assert run('--days', '30', '--dry-run').startswith(
        'would drop: 4 of cluster_versions, 1 of ledger, 4 of operations'
    )
    assert kept(sqlite) > wanted
    run('--days', '30')
    assert kept(sqlite) == wanted
    assert run('--days', '30') == 'dropped: nothing\n'


@pytest.mark.parametrize('bad', ['0', '-1', 'x', '99999999'])
def test_the_command_keeps_a_day_at_least(bad, capsys):
    with pytest.raises(SystemExit):
        manage._parser().parse_args(['db', 'purge', '--days', bad])
    assert f"invalid days value: '{bad}'" in capsys.readouterr().err
