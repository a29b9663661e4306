"""Several nodes of Galera take writes: what one has accepted, the next reader sees at another."""

import threading

import pytest
import sqlalchemy as sa

from magnum_lite.db import ledger, migrate, queue, store
from magnum_lite.db.engine import Database
from magnum_lite.objects import Cluster, ClusterTemplate
from magnum_lite_dev.rig.databases import fresh_database
from tools.chaos.galera import running_galera, why_missing

pytestmark = [
    pytest.mark.mariadb,
    pytest.mark.root,
    pytest.mark.skipif(why_missing() is not None, reason=str(why_missing())),
]
LATE_S = 2


@pytest.fixture
def nodes(connect, tmp_path):
    """The database at each node, with the tables of this release."""
    with running_galera(tmp_path, print) as galera:
        urls = [f'mysql+pymysql://root@127.0.0.1:{node.address[1]}' for node in galera.nodes]
        with fresh_database(urls[0]) as url:
            databases = []
            for server in urls:
                conf = connect(f'{server}/{sa.make_url(url).database}')
                if not databases:
                    migrate.upgrade(conf)
                databases.append(Database(conf))
                databases[-1].engine.connect().close()
            yield databases
            for database in databases:
                database.dispose()


def test_a_node_that_is_behind_answers_when_it_has_caught_up(nodes):
    """Else a conductor read of a cluster without the secrets that it had just made."""
    first, second, _third = nodes
    late = sa.create_engine(second.engine.url)
    with late.connect() as lock:
        lock.exec_driver_sql('FLUSH TABLES WITH READ LOCK')  # it applies nothing
        first.write(ledger.expect, 'c', ledger.PART, ['new'])
        unlock = threading.Timer(LATE_S, lock.exec_driver_sql, ['UNLOCK TABLES'])
        unlock.start()
        with second.read() as connection:
            found = ledger.open_entries(connection, 'c')
        unlock.join()
    late.dispose()
    assert [entry.name for entry in found] == ['new']


def test_the_lock_of_a_queue_is_a_write_that_other_nodes_see(nodes):
    """A row that is written as it is is not replicated: nobody else loses a race against it."""
    first = nodes[0]
    template = ClusterTemplate.new(name='t', coe='c', image_id='i', project_id='p', user_id='u')
    cluster = Cluster.new(
        name='c',
        cluster_template_id=template.uuid,
        user_id='u',
        driver='d',
        driver_version=1,
        project_id='p',
        status='CREATE_COMPLETE',
    )
    first.write(store.insert, template)
    first.write(store.insert, cluster)

    def committed():
        with first.read() as connection:
            return int(
                connection.exec_driver_sql("SHOW STATUS LIKE 'wsrep_last_committed'").one()[1]
            )

    before = committed()
    assert first.write(queue.hold, cluster.uuid)
    assert committed() == before + 1
