"""A worker whose driver kills it at each step of one cluster, while steps of others are slow.

python -m tests.engine.poisoned CONFIG
"""

import os
import signal
import sys
import time

from oslo_service import backend

backend.init_backend(backend.BackendType.THREADING)

from magnum_lite import conf as options  # noqa: E402
from magnum_lite.conductor.registry import Registry  # noqa: E402
from magnum_lite.conductor.worker import Worker  # noqa: E402
from magnum_lite_dev.rig.tiny import Tiny  # noqa: E402


class Poisoned(Tiny):
    """Dies of one CIDR, a moment before other steps would be at their end."""

    def create(self, cloud, spec, /):
        """As ``Tiny``, later."""
        if spec.config['cidr'] == 'poison':
            time.sleep(0.7)
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(1)
        return super().create(cloud, spec)


def main():
    """Run the worker until it dies, or until the end of its standard input."""
    conf = options.load([], config_files=[sys.argv[1]])
    worker = Worker(conf, registry=Registry({'tiny': Poisoned()}))
    worker.start()
    sys.stdin.read()
    worker.stop()


if __name__ == '__main__':
    main()
