"""The command ``magnum-lite-dev``: the embedded service, up and down, and the demonstration."""
import argparse
import os
import sys
import time

from magnum_lite_dev import demo, fixture
from magnum_lite_dev.client import Client, exports
from magnum_lite_dev.deployment import Deployment
from magnum_lite_dev.interrupts import INTERRUPTS, Interrupted
from magnum_lite_dev.processes import tail
from magnum_lite_dev.screen import Screen, Stopwatch
from magnum_lite_dev.state import DEFAULT_STATE, State, Trouble

STATE_VARIABLE = 'MAGNUM_LITE_DEV_STATE'
CLIENT_VARIABLE = 'MAGNUM_LITE_DEV_CLIENT'
INTERRUPTED = 130
# What systemctl answers for a unit that does not run.
NOT_RUNNING = 3
EPILOG = f'''\
The state directory is --state, else ${STATE_VARIABLE}, else {DEFAULT_STATE}.
Everything listens on the loopback address only and needs no rights, no Keystone and no services.

  magnum-lite-dev up                       start, and print what to export
  eval "$(magnum-lite-dev env)"            point the openstack command at it
  openstack coe cluster list
  magnum-lite-dev down --purge             stop, and delete all it made
'''


def port(text):
    """A port number; 0 for ``auto``."""
    if text == 'auto':
        return 0
    number = int(text)
    if not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f'{text} is no port')
    return number


def make_parser():
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog='magnum-lite-dev', epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='magnum_lite with a real Heat and a simulated cloud, on this machine alone.')
    where = argparse.ArgumentParser(add_help=False)
    for target, default in ((parser, os.environ.get(STATE_VARIABLE)),
                            (where, argparse.SUPPRESS)):
        target.add_argument('--state', metavar='DIR', default=default,
                            help='directory for all files')
    client = argparse.ArgumentParser(add_help=False)
    client.add_argument('--client', metavar='PATH', default=os.environ.get(CLIENT_VARIABLE),
                        help='an openstack command to use, instead of installing one '
                             f'(${CLIENT_VARIABLE})')
    client.add_argument('--build-seconds', metavar='S', type=float, default=1.0,
                        help='from the boot of a simulated server to ACTIVE (default: 1)')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    up = commands.add_parser('up', parents=[where, client], help='start everything',
                             description='Start what does not run yet and wait for it.')
    for name, text in (('port', 'of the API (9511)'), ('heat-port', "of Heat's API (18004)"),
                       ('cloud-port', 'of the simulated cloud (auto)')):
        up.add_argument(f'--{name}', type=port, metavar='PORT',
                        help=f'port {text}; "auto" takes a free one; remembered')
    up.add_argument('--no-client', action='store_true',
                    help='do not install an openstack command')
    commands.add_parser('env', parents=[where], help='print what to export',
                        description='Print the variables for the openstack command.')
    commands.add_parser('status', parents=[where], help='show what runs',
                        description='Show processes, ports, health and clusters; '
                                    f'exit status {NOT_RUNNING} when not all is healthy.')
    logs = commands.add_parser('logs', parents=[where], help='show a log',
                               description='Show the end of a log.')
    logs.add_argument('which', nargs='?', choices=('api', 'heat'), default='api',
                      help='whose log (default: api, where the conductor is too)')
    logs.add_argument('-f', '--follow', action='store_true', help='wait for more')
    logs.add_argument('-n', '--lines', type=int, default=50, help='how many (default: 50)')
    down = commands.add_parser('down', parents=[where], help='stop everything',
                               description='Stop both processes; their state stays.')
    down.add_argument('--purge', action='store_true', help='delete the state directory too')
    show = commands.add_parser(
        'demo', parents=[where, client], help='create, resize and delete a cluster',
        description='Start everything, show the life of a Kubernetes cluster with the real '
                    'openstack command, and stop everything. Without --state, in a temporary '
                    'directory.')
    show.add_argument('--keep', action='store_true', help='leave the service running')
    return parser


def up(args, screen):
    """Start everything."""
    state = State(args.state or DEFAULT_STATE)
    state.prepare()
    with state.locked():
        deployment = Deployment(state)
        if deployment.is_healthy:
            screen.line('It runs already.')
        ports = {name: number for name, number in (
            ('api', args.port), ('heat', args.heat_port), ('cloud', args.cloud_port))
            if number is not None}
        deployment.up(screen, ports, build_seconds=args.build_seconds)
        program = None if args.no_client else _client(args, state, screen)
    screen.line(f'magnum_lite  {state.api_url}', 'good')
    screen.line(f'Heat         {fixture.read_ready(state.heat).heat_url}')
    screen.line(f'logs         {state.logs["api"]}')
    screen.line()
    screen.line(exports(state.api_url, program))
    return 0


def _client(args, state, screen):
    client = Client(state.directory / 'client', args.client)
    if not client.is_ready:
        screen.line('installing the openstack command', 'dim')
        watch = Stopwatch()
        try:
            client.make()
        except Trouble as trouble:
            screen.line(f'{trouble}\nThe service runs without it.', 'bad')
            return None
        screen.line(f'installed after {watch}', 'dim')
    return client.program


def env(args, screen):
    """Print the exports; whether it runs goes to standard error, as this is for ``eval``."""
    state = _existing(args)
    client = Client(state.directory / 'client')
    screen.line(exports(state.api_url, client.program if client.is_ready else None))
    if not Deployment(state).api_is_healthy:
        print(f'{state.api_url} does not answer: magnum-lite-dev up', file=sys.stderr)
        return 1
    return 0


def status(args, screen):
    """Show processes, ports, health and clusters."""
    state = _existing(args)
    deployment = Deployment(state)
    told = fixture.read_ready(state.heat)
    healthy = {'api': deployment.api_is_healthy,
               'heat': bool(told) and fixture.is_healthy(told.heat_url)}
    for process in (deployment.api, deployment.heat):
        if process.pid:
            text = f'pid {process.pid}  port {state.ports[process.name]}'
            word, colour = ('healthy', 'good') if healthy[process.name] else ('silent', 'bad')
        else:
            text = 'died' if process.is_stale else ''
            word, colour = 'down', 'bad'
        screen.line(f'{process.name:<9}{screen.paint(word, colour)}  {text}')
    if healthy['api']:
        counted = deployment.clusters()
        text = ', '.join(f'{count} {name}' for name, count in sorted(counted.items()))
        screen.line(f'clusters {text or "none"}')
    screen.line(f'state    {state.directory}')
    return 0 if deployment.is_healthy else NOT_RUNNING


def logs(args, screen):
    """Show the end of a log, and what comes after it."""
    path = _existing(args).logs[args.which]
    position = path.stat().st_size if path.exists() else 0
    screen.line(tail(path, args.lines))
    while args.follow:
        time.sleep(0.3)
        with path.open('rb') as file:
            # A file that became shorter was begun anew.
            file.seek(position if path.stat().st_size >= position else 0)
            more = file.read()
            position = file.tell()
        sys.stdout.write(more.decode(errors='replace'))
        sys.stdout.flush()
    return 0


def down(args, screen):
    """Stop both processes, and delete the state if wanted."""
    state = _existing(args)
    with state.locked():
        stopped = Deployment(state).down()
        screen.line(f'stopped {", ".join(stopped)}' if stopped else 'nothing was running')
        if args.purge:
            state.purge()
            screen.line(f'deleted {state.directory}')
    return 0


def _existing(args):
    state = State(args.state or DEFAULT_STATE)
    if not state.is_prepared:
        raise Trouble(f'there is no embedded service in {state.directory}: '
                      '"magnum-lite-dev up" makes one')
    return state


def show(args, screen):
    """Run the demonstration in the given or a temporary state directory."""
    return demo.run(screen, state=args.state, keep=args.keep, program=args.client,
                    build_seconds=args.build_seconds)


COMMANDS = {'up': up, 'env': env, 'status': status, 'logs': logs, 'down': down, 'demo': show}


def main(argv=None):
    """Run one command; the exit status."""
    args = make_parser().parse_args(argv)
    INTERRUPTS.install()
    screen = Screen()
    try:
        return COMMANDS[args.command](args, screen)
    except Trouble as trouble:
        screen.line()
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
