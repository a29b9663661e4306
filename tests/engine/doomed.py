"""A worker in a process of its own that kills itself at a chosen point, as SIGKILL would anywhere.

    python -m tests.engine.doomed CONFIG POINT DRIVER PATH

The path is what the driver keeps: the directory of ``TinyFiles``, the log of ``Surge``. A point
that is never reached leaves a worker that lives until it is told to stop by the end of its standard
input.
"""

import pathlib
import sys

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.cloud.heat import Heat  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite_dev.rig.tiny import Tiny  # noqa: E402
from tests.engine.doom import Doom  # noqa: E402
from tests.engine.files import Files  # noqa: E402
from tests.engine.surge import Surge  # noqa: E402
from tests.engine.surging import SurgingTiny  # noqa: E402
from tests.engine.tiny_files import TinyFiles  # noqa: E402

WITHOUT_PATH = {'Tiny': Tiny, 'SurgingTiny': SurgingTiny}


def main():
    """Run the worker."""
    conf = options.load([], config_files=[sys.argv[1]])
    doom = Doom(int(sys.argv[2]))
    name, path = sys.argv[3:]
    if name == 'TinyFiles':
        driver = TinyFiles(path)
        doom.haunt(setattr, Files, ('list', 'write', 'drain', 'remove'))
    else:
        driver = Surge(pathlib.Path(path)) if name == 'Surge' else WITHOUT_PATH[name]()
        doom.haunt(setattr, Heat)
    worker = Worker(conf, registry=Registry({'tiny': driver}))
    worker.start()
    sys.stdin.read()
    worker.stop()


if __name__ == '__main__':
    main()
