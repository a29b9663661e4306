"""A worker in a process of its own that kills itself at a chosen point, as SIGKILL would anywhere.

    python -m tests.engine.doomed CONFIG POINT

Points count what can be told apart from outside: before and after each transaction that writes and
each call to Heat, from the claim of an operation on. A point that is never reached leaves a worker
that lives until it is told to stop by the end of its standard input.
"""

import os
import signal
import sys
import threading

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.cloud.heat import Heat  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.conductor.service import Worker  # noqa: E402
from magnum_lite.db import claims  # noqa: E402
from magnum_lite.db.engine import Database  # noqa: E402
from tests.engine.tiny import Tiny  # noqa: E402

QUIET = ('heartbeat', 'report')  # timers: where they fall is chance


class Doom:
    """Counts points and kills at the chosen one."""

    def __init__(self, point):
        self.left = point
        self.began = False
        self.lock = threading.Lock()

    def pass_point(self):
        """One point."""
        with self.lock:
            self.left -= self.began
            if self.began and self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function, begins=lambda args: False, counts=lambda args: True):
        """``function`` with a point before and one after."""

        def wrapper(*args, **kwargs):
            self.began = self.began or begins(args)
            if not counts(args):
                return function(*args, **kwargs)
            self.pass_point()
            result = function(*args, **kwargs)
            self.pass_point()
            return result

        return wrapper


def main():
    """Run the worker."""
    conf = options.load([], config_files=[sys.argv[1]])
    doom = Doom(int(sys.argv[2]))
    Database.write = doom.around(
        Database.write,
        begins=lambda args: args[1] is claims.claim,
        counts=lambda args: args[1].__name__ not in QUIET,
    )
    for name in ('list', 'get', 'create', 'update', 'delete'):
        setattr(Heat, name, doom.around(getattr(Heat, name)))
    worker = Worker(conf, registry=Registry({'tiny': Tiny()}))
    worker.start()
    sys.stdin.read()
    worker.stop()


if __name__ == '__main__':
    main()
