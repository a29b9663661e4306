"""magnum-lite-conductor with a fault in one of its loops, for as long as a file is there.

python -m tests.engine.faulty FILE LOOP --config-file CONFIG
"""

import pathlib
import sys

from magnum_lite.cmd import conductor
from magnum_lite.conductor import service
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import claims, services
from tests.engine.tiny import Tiny

PLACES = {'sweep': (claims, 'due'), 'beat': (services, 'report')}


def main():
    """Run it."""
    file = pathlib.Path(sys.argv.pop(1))
    where, name = PLACES[sys.argv.pop(1)]
    healthy = getattr(where, name)

    def broken(*args, **kwargs):
        if file.exists():
            raise ZeroDivisionError('a fault that nobody foresaw')
        return healthy(*args, **kwargs)

    setattr(where, name, broken)
    service.Registry = lambda: Registry({'tiny': Tiny()})
    conductor.main()


if __name__ == '__main__':
    main()
