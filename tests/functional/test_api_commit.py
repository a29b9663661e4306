"""Connections that break at the COMMIT which accepts a request: what the client hears, what is
there, and what was lent for it agree."""

import select
import socket
import socketserver
import sqlite3
import threading

import pytest
import sqlalchemy as sa

from magnum_lite.cloud import identity
from magnum_lite.db.tables import clusters, ledger, operations
from magnum_lite.delegation import trusts
from magnum_lite.delegation.form import Delegation

PORTS = {'mysql': 3306, 'postgresql': 5432}
BEFORE, AFTER, LATE, AWAY = 'before', 'after', 'late', 'away'


class Door(socketserver.ThreadingTCPServer):
    """A door before a database, which cuts the connection that accepts an operation at COMMIT.

    :ivar cut: None, or when: before the COMMIT gets through; after it took place; so that it gets
        through late, when the client has given up; or after, and the door is shut from then on.
    :ivar late: set when a late COMMIT may go on.
    """

    daemon_threads = True

    def __init__(self, host, port):
        super().__init__(('127.0.0.1', 0), Passage)
        self.inside, self.cut, self.is_shut = (host, port), None, False
        self.late = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class Passage(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self):
        """Carry bytes until one end is closed or the COMMIT is there."""
        door, accepts = self.server, False
        if door.is_shut:
            return
        with socket.create_connection(door.inside) as inside:
            other = {self.request: inside, inside: self.request}
            while True:
                for ready in select.select(list(other), [], [])[0]:
                    data = ready.recv(1 << 20)
                    if not data:
                        return
                    accepts = accepts or b'INSERT INTO operations' in data
                    if ready is self.request and accepts and door.cut and b'COMMIT' in data:
                        self._cut(inside, data)
                        return
                    other[ready].sendall(data)

    def _cut(self, inside, data):
        door = self.server
        how, door.cut = door.cut, None
        door.is_shut = how == AWAY
        if how == LATE:
            self.request.shutdown(socket.SHUT_RDWR)
            door.late.wait(60)
        if how != BEFORE:
            inside.sendall(data)
            inside.recv(1 << 20)


@pytest.fixture
def lent(monkeypatch):
    """{mark: id} of the trusts of a Keystone that always answers."""
    found = {}

    def make(self, context, name):
        found[name] = f'trust-{len(found)}'
        return Delegation(found[name])

    def delete(self, ident):
        for mark in [mark for mark, known in found.items() if known == ident]:
            del found[mark]

    monkeypatch.setattr(identity, 'has_keystone', lambda conf: True)
    monkeypatch.setattr(trusts.Trusts, 'make', make)
    monkeypatch.setattr(trusts.Trusts, 'find', lambda self, name: found.get(name))
    monkeypatch.setattr(trusts.Trusts, 'delete', delete)
    monkeypatch.setattr(trusts.Trusts, 'revoke', lambda self, context, it: delete(self, it.id))
    return found


@pytest.fixture
def door(server_database):
    """A door before that database."""
    url = sa.make_url(server_database)
    with Door(url.host, url.port or PORTS[url.get_backend_name()]) as server:
        server.url = url.set(host='127.0.0.1', port=server.server_address[1])
        yield server
        server.late.set()
        server.shutdown()


@pytest.fixture
def api(door, configured, lent):
    """The service behind the door, with a template; conductors go by another way."""
    with configured(
        database={
            'connection': door.url.render_as_string(False),
            'max_retries': 1,
            'retry_interval': 0,
        }
    ) as running:
        running.template()
        yield running


def create(api):
    """The status of the answer to a request for a cluster."""
    return api.call(
        'POST', '/v1/clusters', {'name': 'c1', 'cluster_template_id': 'small'}
    ).status_int


def there(url):
    """(clusters, operations, trusts that belong to a cluster) that the database has."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = [
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (clusters, operations)
        ]
        kept = (
            connection.execute(
                sa.select(ledger.c.external_id).where(
                    ledger.c.external_id.is_not(None), ledger.c.closed_at.is_(None)
                )
            )
            .scalars()
            .all()
        )
    engine.dispose()
    return found[0], found[1], kept


def test_what_was_accepted_is_accepted_though_the_answer_is_lost(api, door, lent, server_database):
    door.cut = AFTER
    assert create(api) == 202
    assert there(server_database) == (1, 1, ['trust-0']) and list(lent.values()) == ['trust-0']


def test_what_was_not_accepted_leaves_nothing_behind(api, door, lent, server_database):
    door.cut = BEFORE
    assert create(api) >= 500
    assert there(server_database) == (0, 0, []) and lent == {}
    assert create(api) == 202
    assert there(server_database) == (1, 1, list(lent.values()))


def test_a_commit_that_arrives_late_finds_what_it_was_promised(
    api, door, lent, server_database, monkeypatch
):
    door.cut = LATE
    before = api.application.service.db.write

    def write(work, *args, **kwargs):
        if work.__name__ == 'abandon':  # it has to wait for what holds the row
            threading.Timer(0.3, door.late.set).start()
        return before(work, *args, **kwargs)

    monkeypatch.setattr(api.application.service.db, 'write', write)
    assert create(api) >= 500
    count, _, kept = there(server_database)
    assert (count, kept) == ((1, ['trust-0']) if lent else (0, []))


def test_what_nobody_can_say_anything_of_is_left_to_a_conductor(api, door, lent, server_database):
    door.cut = AWAY
    assert create(api) >= 500
    assert list(lent.values()) == ['trust-0']
    door.is_shut = False
    api.application.service.delegations.revoke_strays(older_s=0)
    assert there(server_database) == (1, 1, ['trust-0']) and list(lent.values()) == ['trust-0']


def test_every_change_is_accepted_once_though_the_answer_is_lost(configured):
    with configured() as api:
        template = api.template()
        path = f'/v1/clusters/{api.cluster(template)}'
        api.settle(path.rpartition('/')[2])
        lost = []
        commit = api.db.engine.dialect.do_commit

        def do_commit(connection):
            commit(connection)
            if not lost:
                lost.append(True)
                raise sqlite3.OperationalError('disk I/O error')

        api.db.engine.dialect.do_commit = do_commit
        resize = {'node_count': 2}, {'node_count': 3}, {'node_count': 4}  # two of them join
        for status, method, where, body in (
            *((202, 'POST', '/actions/resize', body) for body in resize),
            (202, 'PATCH', '', [{'op': 'replace', 'path': '/node_count', 'value': 5}]),
            (202, 'POST', '/nodegroups', {'name': 'more'}),
            (
                202,
                'PATCH',
                '/nodegroups/more',
                [{'op': 'replace', 'path': '/max_node_count', 'value': 7}],
            ),
            (204, 'DELETE', '/nodegroups/more', None),
            (204, 'DELETE', '', None),
        ):
            if not where.endswith('resize'):
                api.settle(path.rpartition('/')[2])
            lost.clear()
            answer = api.call(method, f'{path}{where}', body)
            assert (answer.status_int, lost) == (status, [True]), (method, where, answer.text)
        assert api.ok('GET', path)['version'] == 9
