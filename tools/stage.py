"""What the peers' own test-suites run against, and the environments that they run in."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from magnum_lite_dev.keystone_heat import running_keystone_heat
from magnum_lite_dev.rig.production import deployment

HERE = Path(__file__).parent


@contextlib.contextmanager
def whole_service(path):
    """The service as operators run it: real Keystone, real Heat, a simulated cloud; on SQLite.

    One conductor, as the suites expect, and one API worker: each remembers tokens by itself.
    Clusters have a Kubernetes API that answers.

    All of it is stopped when this process is asked to end, too.

    :param path: an empty directory for all files.
    :returns: context manager with a ``Deployment``, whose ``keystone`` is the Keystone.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for folder in ('cloud', 'service'):
        (path / folder).mkdir()
    with (
        running_keystone_heat(path / 'cloud', loopback=True) as (keystone, heat),
        deployment(
            path / 'service',
            heat,
            keystone=keystone,
            conductors=1,
            api_workers=1,
            lease_s=60,
            database=f'sqlite:///{path}/service/service.sqlite',
        ) as service,
    ):
        keystone.endpoints({'container-infra': f'{service.url}/v1'})
        yield service


@contextlib.contextmanager
def command(words, **options):
    """A process and all that it starts; killed at the end if it still runs.

    :returns: context manager with a ``subprocess.Popen``.
    """
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(process, within_s):
    """The exit status of a process; that of timeout(1), 124, when it does not end in time."""
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        return 124


def environment(directory, name):
    """The ``bin`` of a virtual environment with what ``<name>-requirements.txt`` lists.

    :param directory: where it is, or is made.
    """
    directory = Path(directory).resolve()
    requirements = HERE / f'{name}-requirements.txt'
    made = directory / 'made-from'
    if not made.exists() or made.read_text() != requirements.read_text():
        subprocess.run([sys.executable, '-m', 'venv', '--clear', directory], check=True)
        subprocess.run(
            [
                directory / 'bin' / 'python',
                '-m',
                'pip',
                'install',
                '-q',
                '--no-deps',
                '-r',
                requirements,
            ],
            check=True,
        )
        made.write_text(requirements.read_text())
    return directory / 'bin'
