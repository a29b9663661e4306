"""Where benchmarks play: a service of their own with its Heat, database and broker."""

import argparse
import contextlib
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite_dev.fixture import RunningHeat, running_heat
from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.production import Deployment, deployment
from magnum_lite_dev.rig.services import service_url, vhost


@dataclass(frozen=True)
class Stage:
    """What runs.

    :ivar database: URL.
    :ivar conf: the configuration of the service, in this process too.
    """

    service: Deployment
    heat: RunningHeat
    database: str
    conf: cfg.ConfigOpts


@contextlib.contextmanager
def stage(*, build_seconds=0.05, **how):
    """A ``Stage``, ended with all that belongs to it however the block is left.

    :param build_seconds: how long the simulated cloud takes for a server.
    :param how: for ``deployment``.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='magnum-lite-bench-')))
        broker = stack.enter_context(vhost(service_url('rabbitmq')))
        database = stack.enter_context(fresh_database(service_url('mariadb')))
        heat = stack.enter_context(
            running_heat(
                path / 'heat',
                transport_url=broker,
                topics='magnum_lite_heat',
                build_seconds=build_seconds,
            )
        )
        service = stack.enter_context(
            deployment(path, heat, database=database, broker=broker, **how)
        )
        yield Stage(service, heat, database, _configure(str(service.config)))


def _configure(file):
    """The configuration, without its log: that is the processes' of the service."""
    options.register(cfg.CONF)
    cfg.CONF([], project='magnum-lite', default_config_files=[file])
    return cfg.CONF


def is_quick(description):
    """Whether the command line asks for the short run, which shows only that it works."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--quick', action='store_true', help='see that it works: no figures')
    return parser.parse_args().quick


def say(*words):
    """A line, at once."""
    print(*words, flush=True)


def table(head, rows):
    """Lines of a table, columns as wide as they need to be; all but the first to the right."""
    rows = [head, *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say(
            '  '.join(
                [
                    row[0].ljust(widths[0]),
                    *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
                ]
            )
        )
