"""Points at which a worker may die: what can be told apart from outside.

They are before and after each transaction that writes and each call to the cloud, from the claim
of an operation on.
"""

import os
import signal
import threading

from magnum_lite.db import claims
from magnum_lite.db.engine import Database

QUIET = ('heartbeat', 'report')  # timers: where they fall is chance


def kill():
    """As the kernel would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Doom:
    """Counts points and kills at the chosen one."""

    def __init__(self, point, kill=kill):
        self.left = point
        self.began = False
        self.lock = threading.Lock()
        self.kill = kill

    def pass_point(self):
        """One point."""
        with self.lock:
            self.left -= self.began
            if self.began and self.left == 0:
                self.kill()

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

    def haunt(self, set_attribute, cloud, calls=('list', 'get', 'create', 'update', 'delete')):
        """Have points around the transactions that write and the calls of a cloud, such as a Heat.

        :param set_attribute: as ``setattr``.
        """
        set_attribute(
            Database,
            'write',
            self.around(
                Database.write,
                begins=lambda args: args[1] is claims.claim,
                counts=lambda args: args[1].__name__ not in QUIET,
            ),
        )
        for name in calls:
            set_attribute(cloud, name, self.around(getattr(cloud, name)))
