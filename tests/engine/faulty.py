"""magnum-lite-conductor with a fault in one of its loops, or a driver that hangs, for as long as a
file is there.

    python -m tests.engine.faulty FILE sweep|beat|step --config-file CONFIG
"""

import pathlib
import sys
import time

from magnum_lite.cmd import conductor
from magnum_lite.conductor import sweep, worker
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import agenda, services
from magnum_lite_dev.rig.tiny import Tiny

PLACES = {'sweep': (agenda, 'due'), 'beat': (services, 'report'), 'step': (Tiny, 'create')}


def main():
    """Run it."""
    file = pathlib.Path(sys.argv.pop(1))
    where, name = PLACES[sys.argv.pop(1)]
    healthy = getattr(where, name)

    def broken(*args, **kwargs):
        while name == 'create' and file.exists():
            time.sleep(0.1)
        if file.exists():
            raise ZeroDivisionError('a fault that nobody foresaw')
        return healthy(*args, **kwargs)

    setattr(where, name, broken)
    sweep.GIVEN_UP = 0.5
    worker.Registry = lambda: Registry({'tiny': Tiny()})
    conductor.main()


if __name__ == '__main__':
    main()
