"""An operation that kills its workers fails alone."""

import subprocess
import sys

from magnum_lite.db import store
from magnum_lite.db.engine import now
from magnum_lite.objects import Operation
from tests.engine.conftest import write_config


def _until_dead(tmp_path, tenant, create):
    """Let a worker work until its driver kills it, or the operation has ended."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'tests.engine.poisoned', str(tmp_path / 'magnum-lite.conf')],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    tenant.wait_for(create, lambda now: process.poll() is not None or now.ended_at)
    return process


def test_what_runs_beside_an_operation_that_kills_workers_is_done(tmp_path, heat, database, tenant):
    write_config(tmp_path, heat, lease_s=30, heat_timeout_s=20)
    poison = tenant.create(labels={'cidr': 'poison'})
    others = [tenant.create() for _ in range(3)]
    killed = 0
    while True:
        process = _until_dead(tmp_path, tenant, poison)
        if tenant.operation(poison.uuid).ended_at:
            break
        assert process.communicate(timeout=30) and process.returncode == -9
        killed += 1
        for operation in (poison, *others):  # else the next worker waits for it
            database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=operation.uuid)
    try:
        failed = tenant.wait(poison, 'FAILED')
        assert failed.error_code == 'worker-lost' and killed == 5
        for operation in others:
            tenant.wait(operation)
    finally:
        process.communicate(timeout=60)
