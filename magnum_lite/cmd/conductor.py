"""magnum-lite-conductor: worker processes that carry out operations."""

# Before anything imports oslo_messaging or oslo_service: the backend is chosen once per process.
from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

import sys  # noqa: E402

import cotyledon  # noqa: E402
from cotyledon.types import WorkerId  # noqa: E402
from oslo_config import cfg  # noqa: E402

from magnum_lite import startup  # noqa: E402
from magnum_lite.conductor.sweep import patience_s  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite.exceptions import Misconfigured  # noqa: E402

PROG = 'magnum-lite-conductor'


class Conductor(cotyledon.Service):
    """One worker process."""

    name = 'magnum-conductor'

    def __init__(self, worker_id: WorkerId, conf: cfg.ConfigOpts):
        super().__init__(worker_id)
        self._worker = Worker(conf)

    def run(self) -> None:
        """Start; cotyledon keeps the process until a signal."""
        self._worker.start()

    def terminate(self) -> None:
        """Finish the steps under way and give up the operations, so that others go on at once."""
        self._worker.stop()


def main() -> None:
    """Run the conductor until a signal ends it."""
    try:
        conf = startup.load(sys.argv[1:], prog=PROG)
        startup.check(conf, waits=True)
    except Misconfigured as error:
        sys.exit(f'{PROG}: {error}')
    manager = cotyledon.ServiceManager(graceful_shutdown_timeout=patience_s(conf))
    manager.add(Conductor, workers=conf.conductor.workers, args=(conf,))
    manager.run()
