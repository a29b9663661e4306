"""The clock of a worker's host is wrong: only the database's decides."""

import datetime
import types
import uuid

import pytest

from magnum_lite.db import agenda, claims, ledger, store
from magnum_lite.objects import Operation


@pytest.fixture
def database(served):
    """On a server, which has a clock."""
    return served


@pytest.fixture
def clock(monkeypatch):
    """A function that sets the clock of this host so many seconds ahead."""

    def set_ahead(seconds):
        class Shifted(datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.datetime.now(tz) + datetime.timedelta(seconds=seconds)

        monkeypatch.setattr(
            store, 'datetime', types.SimpleNamespace(datetime=Shifted, UTC=datetime.UTC)
        )

    return set_ahead


def _read(database, function, *args, **kwargs):
    with database.read() as connection:
        return function(connection, *args, **kwargs)


@pytest.mark.parametrize('ahead_s', [86400, -86400])
@pytest.mark.parametrize('who', ['the writer', 'the reader'])
def test_what_a_request_makes_now_is_no_stray(database, clock, ahead_s, who):
    """Else a trust is deleted while the request that made it is being accepted."""
    clock(ahead_s if who == 'the writer' else 0)
    database.write(ledger.expect, 'c', ledger.TRUST, ['new'])
    clock(ahead_s if who == 'the reader' else 0)
    assert _read(database, ledger.strays, ledger.TRUST, older_s=600) == []
    assert [row.name for row in _read(database, ledger.strays, ledger.TRUST, older_s=-60)] == [
        'new'
    ]


@pytest.mark.parametrize('ahead_s', [86400, -86400])
def test_a_lease_ends_when_the_database_says_so(database, clock, ahead_s):
    operation = Operation.new(
        cluster_id=uuid.uuid4().hex,
        kind='create',
        reason='',
        project_id='p',
        user_id='ann',
        identity={},
        target={},
        state='QUEUED',
        slot='run',
        cluster_version=1,
    )
    database.write(store.insert, operation)
    clock(ahead_s)
    assert database.write(claims.claim, operation.uuid, owner='wrong', lease_s=60)
    clock(0)
    assert not database.write(claims.claim, operation.uuid, owner='right', lease_s=60)
    clock(ahead_s)
    assert database.write(claims.heartbeat, owner='wrong', lease_s=60) == 1
    assert not database.write(claims.claim, operation.uuid, owner='wrong too', lease_s=60)
    taken = database.write(claims.step, operation.uuid, owner='wrong', lease_s=60)
    database.write(claims.wait, taken, progress='', check_in_s=60)
    assert _read(database, agenda.due, owner='wrong', limit=9) == []
    database.write(claims.heartbeat, owner='wrong', lease_s=-1)
    clock(-ahead_s)
    assert database.write(claims.claim, operation.uuid, owner='right', lease_s=60)
