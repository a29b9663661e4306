"""API and conductor in one process: ``python -m magnum_lite_dev.service --config-file F``.

Made for SQLite and ``fake://``, over which the two reach each other inside one process.
"""

import argparse
import logging
import os
import signal
import sys
import threading

from oslo_service import backend

# Heat's environment has oslo.service; oslo.messaging would choose eventlet by it.
backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import startup  # noqa: E402
from magnum_lite.api.app import make_app  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite.db import migrate  # noqa: E402
from magnum_lite.exceptions import Misconfigured  # noqa: E402
from magnum_lite_dev.processes import end_with  # noqa: E402
from magnum_lite_dev.server import Server  # noqa: E402

LOG = logging.getLogger(__name__)
PROG = 'magnum-lite-dev-service'
STOP_WITHIN_S = 6


class Service:
    """The whole service in this process."""

    def __init__(self, conf) -> None:
        self._conf = conf

    def start(self) -> str:
        """Migrate the database and start everything; the address of the API.

        :raises OSError: the port is taken.
        """
        migrate.upgrade(self._conf)
        self._worker = Worker(self._conf)
        self._worker.start()
        self._server = Server(make_app(self._conf), self._conf.api.port, name='api', threads=16)
        return self._server.url

    def stop(self) -> None:
        """Stop answering, then working; what is under way is taken up by the next start."""
        self._server.close()
        self._worker.stop()


def main(argv=None) -> int | None:
    """Run a :class:`Service` until SIGINT or SIGTERM; the exit status."""
    parser = argparse.ArgumentParser(
        prog='python -m magnum_lite_dev.service', description=__doc__.splitlines()[0]
    )
    parser.add_argument('--version', action='version', version=startup.version(PROG))
    parser.add_argument('--config-file', required=True, help='its configuration')
    parser.add_argument(
        '--exit-with', type=int, metavar='PID', help='stop when this process, the parent, is gone'
    )
    args = parser.parse_args(argv)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    end_with(args.exit_with)
    try:
        conf = startup.load([], prog=PROG, config_files=[args.config_file])
        startup.check(conf, migrates=True)
        service = Service(conf)
        print(f'service {service.start()}', flush=True)
    except Misconfigured as error:
        print(f'{PROG}: {error}', file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        print(f'cannot start: {error}', file=sys.stderr, flush=True)
        os._exit(1)
    done.wait()
    # A step may be waiting for the cloud; its operation is taken up again by the next start.
    limit = threading.Timer(STOP_WITHIN_S, os._exit, (0,))
    limit.daemon = True
    limit.start()
    service.stop()
    os._exit(0)


if __name__ == '__main__':
    sys.exit(main())
