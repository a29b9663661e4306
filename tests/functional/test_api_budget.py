"""What requests cost: SQL statements, and modules that a reader has to know."""

import sys
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

import magnum_lite
from magnum_lite import rpc

ROOT = Path(magnum_lite.__file__).parent


class Statements(list):
    """The SQL statements since the last ``clear``, but for what opens transactions."""

    def __init__(self, engine):
        super().__init__()
        sa.event.listen(engine, 'before_cursor_execute', self._note)

    def _note(self, connection, cursor, statement, *rest):
        if not statement.startswith(('BEGIN', 'PRAGMA')):
            self.append(statement)


@pytest.fixture
def conf(conf):
    """Requests ask a conductor, as they do in real life."""
    conf.set_override('validate_s', 30, 'api')
    server = rpc.server(conf, lambda uuid: None, lambda wanted, within_s: None)
    server.start()
    yield conf
    server.stop()
    server.wait()


@pytest.fixture
def statements(api):
    """The statements of a service with a hundred clusters."""
    template = api.template(labels={'kube_tag': 'v1.36.1'})
    api.db.write(
        lambda connection: connection.exec_driver_sql(
            "INSERT INTO quotas (project_id, resource, hard_limit) VALUES ('red', 'Cluster', 1000)"
        )
    )
    for number in range(100):
        api.cluster(template, name=f'c{number}')
    return Statements(api.db.engine)


def test_requests_need_few_statements(api, statements):
    for path in ('/v1/clusters', '/v1/clusters/detail'):
        statements.clear()
        assert len(api.ok('GET', path)['clusters']) == 100
        assert len(statements) <= 4, statements
    statements.clear()
    assert api.ok('GET', '/v1/clusters/c7')['node_count'] == 1
    assert len(statements) <= 3, statements
    for path in (
        '/v1/clustertemplates',
        '/v1/quotas?all_tenants=1',
        '/v1/quotas/red/Cluster',
        '/v1/stats',
        '/v1/clusters/c7/nodegroups',
        '/v1/clusters/c7/operations',
    ):
        statements.clear()
        api.ok('GET', path, token='root:red:admin')
        assert len(statements) <= 3, statements
    statements.clear()
    api.ok(
        'POST',
        '/v1/clusters',
        {
            'cluster_template_id': 'small',
            'name': 'one-more',
            'labels': {'boot_volume_size': 5},
            'keypair': 'demo',
        },
    )
    assert len(statements) <= 12, statements


def test_the_first_cluster_of_a_project_needs_few_statements(api):
    template = api.template()
    statements = Statements(api.db.engine)
    api.cluster(template)
    assert len(statements) <= 12, statements


def test_a_creation_is_read_in_few_modules(api):
    template = api.template()
    api.cluster(template, name='warm')
    entered = set()

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == 'call' and ROOT in path.parents:
            entered.add(path.relative_to(ROOT).as_posix())

    sys.setprofile(note)
    try:
        api.cluster(template, name='counted', labels={'kube_tag': 'v1.36.2'}, keypair='demo')
    finally:
        sys.setprofile(None)
    entered.remove('db/columns.py')  # SQLAlchemy calls it, for each value of a row
    # In their order: the request (app, middleware, context, endpoint, schema), what it makes
    # (cluster_create, labels, base, fields, change), who is asked (lookups, new_clusters,
    # rpc, threads, delegation) and what is written (engine, store, operations, usage). Threads of
    # the look-ups call the cloud, unseen here.
    assert len(entered) <= 19, sorted(entered)


def test_no_get_calls_the_cloud(api, monkeypatch):
    # What this process asks: the cloud itself counts Heat's calls too, for stacks of other tests.
    asked = []
    send = requests.Session.send
    monkeypatch.setattr(
        requests.Session,
        'send',
        lambda self, request, **more: (asked.append(request.url), send(self, request, **more))[1],
    )
    template = api.template()
    cluster = api.cluster(template)
    assert asked
    asked.clear()
    for path in (
        '/v1/clusters',
        '/v1/clusters/detail',
        f'/v1/clusters/{cluster}',
        f'/v1/clusters/{cluster}/nodegroups',
        f'/v1/clusters/{cluster}/operations',
        f'/v1/clustertemplates/{template}',
        '/v1/clustertemplates',
        '/v1/drivers',
        '/v1/drivers/kubernetes',
        '/v1/quotas/red/Cluster',
        '/v1/stats',
        '/v1/federations',
    ):
        api.ok('GET', path)
    assert not asked
