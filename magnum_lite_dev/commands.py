"""What each command of ``magnum-lite-dev`` does: a function of its arguments and the screen.

Each returns the exit status and raises :class:`~magnum_lite_dev.trouble.Trouble`.
"""

import shutil
import sys
import time

from magnum_lite_dev import demo, fixture, image_commands, tenants
from magnum_lite_dev.client import Client, exports, home
from magnum_lite_dev.deployment import Deployment
from magnum_lite_dev.nodes import fleet, leftovers, machine
from magnum_lite_dev.nodes.image import Images
from magnum_lite_dev.processes import tail
from magnum_lite_dev.screen import Stopwatch
from magnum_lite_dev.state import State
from magnum_lite_dev.trouble import Trouble

# What systemctl answers for a unit that does not run.
NOT_RUNNING = 3


def up(args, screen) -> int:
    """Start everything."""
    state = State(args.state or args.default_state)
    if (args.nodes or state.nodes) == 'real':
        machine.demand('servers cannot boot on this machine', machine.lacks_for_nodes())
        fleet.check_path(state.directory)
    state.prepare()
    with state.locked():
        deployment = Deployment(state)
        if args.nodes:
            deployment.choose_nodes(args.nodes)
        if deployment.is_healthy:
            screen.line('It runs already.')
        ports = {
            name: number
            for name, number in (
                ('api', args.port),
                ('heat', args.heat_port),
                ('cloud', args.cloud_port),
            )
            if number is not None
        }
        deployment.up(screen, ports, build_seconds=args.build_seconds)
        program = None if args.no_client else _client(args, state, screen)
    screen.line(f'magnum_lite  {state.api_url}', 'good')
    screen.line(f'Heat         {fixture.read_ready(state.heat).heat_url}')
    screen.line(f'logs         {state.logs["api"]}')
    if state.nodes == 'real':
        names = ', '.join(image.name for image in Images(state.images).list())
        screen.line(f'boots        {names or "no image yet: magnum-lite-dev image build swarm"}')
    screen.line()
    screen.line(exports(state.api_url, program))
    return 0


def _client(args, state, screen) -> str | None:
    if args.client and shutil.which(args.client):
        state.keep_client(shutil.which(args.client))
    client = Client(home(state.directory), args.client or state.client)
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


def env(args, screen) -> int:
    """Print the exports; whether it runs goes to standard error, as this is for ``eval``."""
    state = _existing(args)
    client = Client(home(state.directory), state.client)
    screen.line(exports(state.api_url, client.program if client.is_ready else None))
    if not Deployment(state).api_is_healthy:
        print(f'{state.api_url} does not answer: magnum-lite-dev up', file=sys.stderr)
        return 1
    return 0


def status(args, screen) -> int:
    """Show processes, ports, health and clusters."""
    state = _existing(args)
    deployment = Deployment(state)
    told = fixture.read_ready(state.heat)
    healthy = {
        'api': deployment.api_is_healthy,
        'heat': bool(told) and fixture.is_healthy(told.heat_url),
    }
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
    if state.nodes == 'real':
        nodes = len(list(state.node_files.glob('*/pid')))
        screen.line(f'nodes    real, {nodes}; {len(Images(state.images).list())} images')
    screen.line(f'state    {state.directory}')
    return 0 if deployment.is_healthy else NOT_RUNNING


def logs(args, screen) -> int:
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


def down(args, screen) -> int:
    """Stop both processes, and delete the state if wanted."""
    state = _existing(args)
    with state.locked():
        stopped = Deployment(state).down()
        screen.line(f'stopped {", ".join(stopped)}' if stopped else 'nothing was running')
        if args.purge:
            state.purge()
            screen.line(f'deleted {state.directory}')
    return 0


def clean(args, screen) -> int:
    """Remove what nodes left that ran when their process or this machine ended."""
    machine.demand('this cannot be cleaned', machine.lacks_for_nodes()[:1])
    if args.all:
        directories = leftovers.orphans()
    else:
        state = _existing(args)
        if Deployment(state).heat.pid:
            raise Trouble(f'a service runs in {state.directory}: "magnum-lite-dev down" first')
        directories = [state.node_files]
    for directory in directories:
        leftovers.purge(directory)
        screen.line(f'cleaned {directory}')
    if not directories:
        screen.line('nothing is left')
    return 0


def _existing(args) -> State:
    state = State(args.state or args.default_state)
    if not state.is_prepared:
        raise Trouble(
            f'there is no embedded service in {state.directory}: "magnum-lite-dev up" makes one'
        )
    return state


def show(args, screen) -> int:
    """Run the demonstration in the given or a temporary state directory."""
    return demo.run(
        screen,
        tenants.choose(args.coe, args.nodes),
        state=args.state,
        keep=args.keep,
        program=args.client,
        build_seconds=args.build_seconds,
    )


COMMANDS = {
    'up': up,
    'env': env,
    'status': status,
    'logs': logs,
    'down': down,
    'clean': clean,
    'image': image_commands.run,
    'demo': show,
}
