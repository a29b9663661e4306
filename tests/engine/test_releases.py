"""Workers of two releases at one database."""

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import agenda, claims
from magnum_lite.driver_sdk import Driver
from magnum_lite.objects.kinds import KINDS, TABLE
from magnum_lite_dev.rig.tiny import Tiny


def _known(monkeypatch, kinds):
    monkeypatch.setattr(claims, 'KINDS', kinds)


def test_a_kind_that_a_worker_does_not_know_waits_for_one_that_does(
    conf, database, tenant, monkeypatch
):
    registry = Registry({'tiny': Tiny()})
    older, newer = (Manager(conf, database, registry, owner=name) for name in ('older', 'newer'))
    _known(monkeypatch, tuple(kind for kind in KINDS if kind != 'create'))
    create = tenant.create()
    with database.read() as connection:
        assert agenda.claimable(connection, limit=9) == []
    assert not older.claim(create.uuid)
    assert tenant.operation(create.uuid).state == 'QUEUED'

    _known(monkeypatch, KINDS)
    with database.read() as connection:
        assert agenda.claimable(connection, limit=9) == [create.uuid]
    assert newer.claim(create.uuid)
    # Its owner dies: the older one does not take it over either.
    database.write(claims.release_all, owner='newer')
    _known(monkeypatch, tuple(kind for kind in KINDS if kind != 'create'))
    assert not older.claim(create.uuid)
    _known(monkeypatch, KINDS)
    assert newer.claim(create.uuid)
    tenant.wait_for(create, lambda now: newer.step(create.uuid) or now.ended_at, 'DONE')


def test_every_kind_names_methods_of_drivers():
    """A kind without a line was an update that found nothing to do, and was DONE."""
    for kind in TABLE.values():
        assert callable(getattr(Driver, kind.method))
        assert kind.ends or callable(getattr(Driver, kind.dry_run))
