"""A conductor as ``magnum-lite-conductor`` is one, with the tiny driver.

python -m benchmarks.tiny_conductor CONFIG
"""

# As in magnum_lite.cmd.conductor: before anything imports oslo_messaging.
from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

import sys  # noqa: E402

import cotyledon  # noqa: E402

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite_dev.rig.tiny import Tiny  # noqa: E402


class Conductor(cotyledon.Service):
    """One worker process."""

    def __init__(self, worker_id, conf):
        super().__init__(worker_id)
        self._worker = Worker(conf, registry=Registry({'tiny': Tiny()}))

    def run(self):
        """Start."""
        self._worker.start()

    def terminate(self):
        """Stop."""
        self._worker.stop()


def main():
    """Run until a signal."""
    conf = options.load([], config_files=sys.argv[1:])
    manager = cotyledon.ServiceManager(graceful_shutdown_timeout=20)
    manager.add(Conductor, workers=conf.conductor.workers, args=(conf,))
    manager.run()


if __name__ == '__main__':
    main()
