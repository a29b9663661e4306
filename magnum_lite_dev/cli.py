"""The command ``magnum-lite-dev``: the embedded service, up and down, and the demonstration."""

import argparse
import os
import sys
from importlib import metadata

from magnum_lite_dev.interrupts import INTERRUPTS, Interrupted
from magnum_lite_dev.trouble import Trouble

DEFAULT_STATE = './.magnum-lite-dev'

STATE_VARIABLE = 'MAGNUM_LITE_DEV_STATE'
CLIENT_VARIABLE = 'MAGNUM_LITE_DEV_CLIENT'
INTERRUPTED = 130
EPILOG = f"""\
The state directory is --state, else ${STATE_VARIABLE}, else {DEFAULT_STATE}.
Everything listens on the loopback address only and needs no rights, no Keystone and no services;
only "--nodes real", of "up" and "demo", needs root.

  magnum-lite-dev up                       start, and print what to export
  eval "$(magnum-lite-dev env)"            point the openstack command at it
  openstack coe cluster list
  magnum-lite-dev down --purge             stop, and delete all it made
"""


def port(text) -> int:
    """A port number; 0 for ``auto``."""
    if text == 'auto':
        return 0
    number = int(text)
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f'{text} is no port')
    return number


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog='magnum-lite-dev',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='magnum_lite with a real Heat and a simulated cloud, on this machine alone.',
    )
    parser.add_argument(
        '--version', action='version', version=f'magnum-lite-dev {metadata.version("magnum-lite")}'
    )
    where = argparse.ArgumentParser(add_help=False)
    for target, default in ((parser, os.environ.get(STATE_VARIABLE)), (where, argparse.SUPPRESS)):
        target.add_argument(
            '--state', metavar='DIR', default=default, help='directory for all files'
        )
    client = _client()
    parser.set_defaults(default_state=DEFAULT_STATE)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    _add_up(commands, where, client)
    _add_others(commands, where)
    _add_image(commands, where)
    _add_demo(commands, where, client)
    return parser


def _client() -> argparse.ArgumentParser:
    client = argparse.ArgumentParser(add_help=False)
    client.add_argument(
        '--client',
        metavar='PATH',
        default=os.environ.get(CLIENT_VARIABLE),
        help=f'an openstack command to use, instead of installing one (${CLIENT_VARIABLE})',
    )
    client.add_argument(
        '--build-seconds',
        metavar='S',
        type=float,
        default=1.0,
        help='from the boot of a simulated server to ACTIVE (default: 1)',
    )
    return client


def _add_demo(commands, where, client) -> None:
    show = commands.add_parser(
        'demo',
        parents=[where, client],
        help='create, resize and delete a cluster',
        description='Start everything, show the life of a cluster with the real openstack command, '
        'and stop everything. Without --state, in a temporary directory. With --coe swarm --nodes '
        'real a Docker Swarm forms on servers that boot, and the docker command runs a service '
        'in it.',
    )
    show.add_argument(
        '--coe',
        choices=('kubernetes', 'swarm'),
        default='kubernetes',
        help='of the cluster; swarm goes with --nodes real (default: kubernetes)',
    )
    show.add_argument(
        '--nodes',
        choices=('simulated', 'real'),
        default='simulated',
        help='real: its servers boot, as root on Linux (default: simulated)',
    )
    show.add_argument('--keep', action='store_true', help='leave the service running')


def _add_up(commands, where, client) -> None:
    up = commands.add_parser(
        'up',
        parents=[where, client],
        help='start everything',
        description='Start what does not run yet and wait for it.',
    )
    for name, text in (
        ('port', 'of the API (9511)'),
        ('heat-port', "of Heat's API (18004)"),
        ('cloud-port', 'of the simulated cloud (auto)'),
    ):
        up.add_argument(
            f'--{name}',
            type=port,
            metavar='PORT',
            help=f'port {text}; "auto" takes a free one; remembered',
        )
    up.add_argument(
        '--nodes',
        choices=('simulated', 'real'),
        help='real: servers boot whose image was built here; as root on Linux; remembered',
    )
    up.add_argument('--no-client', action='store_true', help='do not install an openstack command')


def _add_others(commands, where) -> None:
    commands.add_parser(
        'env',
        parents=[where],
        help='print what to export',
        description='Print the variables for the openstack command.',
    )
    commands.add_parser(
        'status',
        parents=[where],
        help='show what runs',
        description='Show processes, ports, health and clusters; '
        'exit status 3 when not all is healthy.',
    )
    logs = commands.add_parser(
        'logs', parents=[where], help='show a log', description='Show the end of a log.'
    )
    logs.add_argument(
        'which',
        nargs='?',
        choices=('api', 'heat'),
        default='api',
        help='whose log (default: api, where the conductor is too)',
    )
    logs.add_argument('-f', '--follow', action='store_true', help='wait for more')
    logs.add_argument('-n', '--lines', type=int, default=50, help='how many (default: 50)')
    down = commands.add_parser(
        'down',
        parents=[where],
        help='stop everything',
        description='Stop both processes; their state stays.',
    )
    down.add_argument('--purge', action='store_true', help='delete the state directory too')
    _add_clean(commands, where)


def _add_clean(commands, where) -> None:
    clean = commands.add_parser(
        'clean',
        parents=[where],
        help='remove what real nodes left',
        description='End what is left of nodes after a crash, and delete their disks.',
    )
    clean.add_argument(
        '--all', action='store_true', help='of every directory whose process has ended'
    )


def _add_image(commands, where) -> None:
    image = commands.add_parser(
        'image',
        help='make images for servers that boot',
        description='Node images, made of Debian packages and kept in the state directory.',
    )
    verbs = image.add_subparsers(dest='verb', required=True, metavar='VERB')
    build = verbs.add_parser(
        'build',
        parents=[where],
        help='make an image',
        description='Make an image, about a minute; as root. What is there is not made again '
        'unless its recipe has changed.',
    )
    build.add_argument('recipe', help='what it is made of: swarm, or one of --recipes')
    build.add_argument('--name', help='of the image (default: that of the recipe)')
    build.add_argument(
        '--layer',
        metavar='DIR',
        action='append',
        default=[],
        help='a directory of programs that lies over it; the first one given is the uppermost',
    )
    build.add_argument('--recipes', metavar='FILE', help='recipes of your own')
    build.add_argument('--mirror', metavar='URL', help='an archive of Debian')
    verbs.add_parser(
        'list', parents=[where], help='show the images', description='Show the images.'
    )
    remove = verbs.add_parser(
        'remove', parents=[where], help='delete an image', description='Delete an image.'
    )
    remove.add_argument('name')


def main(argv=None) -> int:
    """Run one command; the exit status."""
    args = make_parser().parse_args(argv)
    INTERRUPTS.install()
    try:
        # Now that a signal is heard: the imports take longer than many a command.
        from magnum_lite_dev import commands, screen

        return commands.COMMANDS[args.command](args, screen.Screen())
    except Trouble as trouble:
        print(f'magnum-lite-dev: {trouble}', file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Somebody piped us into head; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Interrupted:
        print('interrupted', file=sys.stderr)
        return INTERRUPTED


if __name__ == '__main__':
    sys.exit(main())
