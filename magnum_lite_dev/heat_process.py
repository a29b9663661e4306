"""A real Heat, API and engine, in one process beside the simulated cloud it builds in.

``python -m magnum_lite_dev.heat_process --state DIR`` runs it.
"""

import argparse
import os
import signal
import sys
import threading
from typing import NoReturn

from magnum_lite_dev.embedded_heat import TOPICS, EmbeddedHeat
from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.processes import end_with
from magnum_lite_dev.trouble import Trouble

STOP_WITHIN_S = 6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m magnum_lite_dev.heat_process', description=__doc__.splitlines()[0]
    )
    parser.add_argument('--state', required=True, help='directory for all files')
    parser.add_argument('--port', type=int, default=0, help="of Heat's API")
    parser.add_argument('--cloud-port', type=int, default=0, help='of the simulated cloud')
    parser.add_argument(
        '--build-seconds', type=float, default=0.2, help='from the boot of a server to ACTIVE'
    )
    parser.add_argument(
        '--transport-url', default='fake://', help='broker for notifications; fake:// sends none'
    )
    parser.add_argument('--notification-topics', default=TOPICS, help='comma-separated')
    parser.add_argument(
        '--loopback',
        action='store_true',
        help='floating IPs of 127.0.0.0/8, where Kubernetes APIs answer',
    )
    parser.add_argument('--slow', action='store_true', help="keep Heat's own pauses of a second")
    parser.add_argument(
        '--keystone-url',
        metavar='URL',
        help='Keystone that vouches for callers; without, they are believed',
    )
    parser.add_argument(
        '--retries',
        type=int,
        default=0,
        help='how often Heat makes a server again that went to ERROR',
    )
    parser.add_argument(
        '--exit-with', type=int, metavar='PID', help='stop when this process, the parent, is gone'
    )
    parser.add_argument(
        '--boots', action='store_true', help='servers boot whose image has a directory'
    )
    parser.add_argument('--debug', action='store_true', help='verbose log')
    return parser


def main(argv=None) -> NoReturn:
    """Run an :class:`EmbeddedHeat` until SIGINT or SIGTERM; ends the process."""
    args = _parser().parse_args(argv)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    end_with(args.exit_with)
    heat = EmbeddedHeat(
        args.state,
        port=args.port,
        cloud_port=args.cloud_port,
        debug=args.debug,
        build_seconds=args.build_seconds,
        transport_url=args.transport_url,
        topics=args.notification_topics,
        quick=not args.slow,
        loopback=args.loopback,
        keystone_url=args.keystone_url,
        retries=args.retries,
        boots=args.boots,
    )
    try:
        heat.start()
    except (OSError, Trouble, Broken) as error:
        print(f'cannot start: {error}', file=sys.stderr, flush=True)
        os._exit(1)
    print(f'Heat {heat.url}\ncloud {heat.cloud_url}', flush=True)
    done.wait()
    # The engine's threads are no daemons, and stopping waits for work that may be stuck.
    limit = threading.Timer(STOP_WITHIN_S, os._exit, (0,))
    limit.daemon = True
    limit.start()
    heat.stop()
    os._exit(0)


if __name__ == '__main__':
    main()
