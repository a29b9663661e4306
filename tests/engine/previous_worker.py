"""A worker of release 1.0, in a process that has that release's code in front of this one's.

    PYTHONPATH=<tree of release 1.0> python previous_worker.py CONFIG OPERATION STEPS

It claims the operation and takes so many steps of it, or all that there are, and leaves it as a
worker that is lost.
"""

import sys
import time

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.conductor.manager import Manager  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.db import store  # noqa: E402
from magnum_lite.db.engine import Database  # noqa: E402
from magnum_lite.objects import Operation  # noqa: E402
from tests.engine.tiny import Tiny  # noqa: E402


def main():
    """Run the worker."""
    config, uuid, steps = sys.argv[1:]
    conf = options.load([], config_files=[config])
    database = Database(conf)
    manager = Manager(conf, database, Registry({'tiny': Tiny()}), owner='previous')
    assert manager.claim(uuid)
    for _ in range(int(steps)):
        manager.step(uuid)
        with database.read() as connection:
            if store.get(connection, Operation, uuid).ended_at:
                return
        time.sleep(0.1)


if __name__ == '__main__':
    main()
