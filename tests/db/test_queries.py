"""Every list and every sweep finds its rows by an index."""

import types

import pytest
import sqlalchemy as sa

from magnum_lite.db import (
    agenda,
    claims,
    compare,
    generations,
    health,
    journal,
    ledger,
    outbox,
    overtaking,
    purge,
    queue,
    services,
    store,
    usage,
)
from magnum_lite.objects import (
    Certificate,
    Cluster,
    ClusterTemplate,
    DriverVersion,
    NodeGroup,
    Operation,
)

PAGE = store.Page(limit=10)
MINE = store.Scope('p')
LOOK = types.SimpleNamespace(id=1, fence=1, cluster_id='a')
QUERIES = {
    'clusters of a project': lambda c: store.page(c, Cluster, PAGE, MINE),
    'next clusters': lambda c: store.page(c, Cluster, store.Page(10, sort_key='uuid'), MINE),
    'cluster by name': lambda c: store.find(c, Cluster, name='n'),
    'clusters of a template': lambda c: store.count(c, Cluster, cluster_template_id='t'),
    'clusters of a driver': lambda c: store.count(c, Cluster, driver='d', driver_version=1),
    'groups of clusters': lambda c: store.rows(c, NodeGroup, cluster_id=['a', 'b']),
    'templates': lambda c: store.page(c, ClusterTemplate, PAGE, MINE),
    'driver by name': lambda c: store.find(c, DriverVersion, name='d'),
    'operations of a cluster': lambda c: store.page(c, Operation, PAGE, store.ALL, cluster_id='a'),
    'authorities': lambda c: store.find(c, Certificate, cluster_id='a', purpose='etcd'),
    'claimable': lambda c: agenda.claimable(c, limit=10),
    'due': lambda c: agenda.due(c, owner='me', limit=10),
    'owned': lambda c: agenda.owned(c, owner='me'),
    'heartbeat': lambda c: claims.heartbeat(c, owner='me', lease_s=9),
    'claim': lambda c: claims.claim(c, 'u', owner='me', lease_s=9),
    'overtake': lambda c: overtaking.overtake(c, 'a'),
    'in flight': lambda c: overtaking.in_flight(c, 'a'),
    'running': lambda c: queue.running(c, 'a'),
    'waiting': lambda c: queue.waiting(c, 'a', 'g'),
    'waiting of all': lambda c: queue.waiting_of(c, 'a'),
    'hurry': lambda c: claims.hurry(c, 'a'),
    'unsent': lambda c: outbox.unsent(c, limit=10, after=3),
    'right to send': lambda c: outbox.hold(c, [1, 2], owner='me', lease_s=9),
    'end of sending': lambda c: outbox.release(c, [1, 2], owner='me'),
    'purge of notifications': lambda c: purge.sent(c, days=7),
    'steps': lambda c: journal.steps_of(c, 'o'),
    'oldest step shown': lambda c: journal.first_shown(c, 'o'),
    'newest operation': lambda c: journal.note_cluster(c, 'a', 'text'),
    'generations': lambda c: generations.of(c, 'a'),
    'turn of generations': lambda c: generations.turn(c, 'a'),
    'ledger': lambda c: ledger.open_entries(c, 'a'),
    'strays': lambda c: ledger.strays(c, ledger.TRUST, older_s=9),
    'usage': lambda c: usage.release(c, 'p'),
    'compare next': lambda c: compare.due(c),
    'at rest': lambda c: compare.at_rest(c, 'p'),
    'groups at rest': lambda c: compare.groups(c, 'p'),
    'without a turn': lambda c: health.without_turn(c),
    'next look': lambda c: health.due(c, ['kubernetes'], limit=10),
    'turn of a look': lambda c: health.claim(c, LOOK, every_s=9),
    'end of a look': lambda c: health.found(c, LOOK, Cluster.new(uuid='a'), 'HEALTHY', {}),
    'report of health': lambda c: health.reported(c, 'a', stands_s=9),
    'service': lambda c: services.report(c, host='h', plugins={}),
}


def _plans(database, query):
    """SQLite's plan of each statement that the query runs."""
    plans = []

    def explain(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith(('SELECT', 'UPDATE', 'DELETE')):
            cursor.execute('EXPLAIN QUERY PLAN ' + statement, parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    sa.event.listen(database.engine, 'before_cursor_execute', explain)
    try:
        database.write(query)
    finally:
        sa.event.remove(database.engine, 'before_cursor_execute', explain)
    return plans


@pytest.mark.parametrize('name', QUERIES)
def test_rows_are_found_by_an_index(sqlite, name):
    plans = _plans(sqlite, QUERIES[name])
    assert plans
    scans = [plan for plan in plans if plan.startswith('SCAN') and 'INDEX' not in plan]
    assert not scans, plans
