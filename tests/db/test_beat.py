"""Heartbeats come whatever else a worker waits for."""

import threading
import time

import sqlalchemy as sa

from magnum_lite import releases
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import migrate, outbox
from magnum_lite.db.tables import services
from tests import fixtures


def test_heartbeats_come_while_sending_hangs(tmp_path, monkeypatch):
    conf = fixtures.make_conf(tmp_path, conductor={'heartbeat_s': 0.5})
    migrate.upgrade(conf)
    hangs, goes_on = threading.Event(), threading.Event()

    def unsent(connection, **_how):
        hangs.set()
        goes_on.wait(60)
        return []

    monkeypatch.setattr(outbox, 'unsent', unsent)
    worker = Worker(conf, registry=Registry({}))
    worker.start()
    try:
        assert hangs.wait(30)
        until = time.monotonic() + 30
        while _reports(worker) < 4:
            assert time.monotonic() < until
            time.sleep(0.1)
        with worker._database.read() as connection:
            assert connection.execute(sa.select(services.c.plugins)).scalar_one() == {
                'magnum-lite': releases.CURRENT
            }
    finally:
        goes_on.set()
        worker.stop()
        fixtures.forget_conf()


def _reports(worker):
    with worker._database.read() as connection:
        return connection.execute(sa.select(services.c.report_count)).scalar_one()
