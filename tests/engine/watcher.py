"""A worker in a process of its own whose looks at health wait in the middle.

    python -m tests.engine.watcher CONFIG FOLDER

It touches ``looking`` in the folder, waits for ``go``, says UNHEALTHY, and touches ``True`` where
that was written, ``False`` where it was not.
"""

import pathlib
import sys
import time

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite.db import health  # noqa: E402
from magnum_lite.driver_sdk import Health  # noqa: E402
from tests.engine.looked import Looked  # noqa: E402


def main():
    """Run it until the end of its standard input."""
    folder, write = pathlib.Path(sys.argv[2]), health.found

    def look():
        (folder / 'looking').touch()
        while not (folder / 'go').exists():
            time.sleep(0.05)
        return Health('UNHEALTHY', {'api': 'was so long ago'})

    def noting(*args):
        is_written = write(*args)
        (folder / str(is_written)).touch()
        return is_written

    driver, health.found = Looked(), noting
    driver.says = look
    worker = Worker(
        options.load([], config_files=[sys.argv[1]]), registry=Registry({'tiny': driver})
    )
    worker.start()
    sys.stdin.read()
    worker.stop()


if __name__ == '__main__':
    main()
