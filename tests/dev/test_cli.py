"""``magnum-lite-dev`` as a person uses it: up, down, and everything that goes wrong between."""

import base64
import io
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

from magnum_lite.certs import authority
from magnum_lite_dev import demo, kubeconfig
from magnum_lite_dev.client import exports
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.screen import Screen
from magnum_lite_dev.state import State
from magnum_lite_dev.trouble import Trouble

QUIET = {**os.environ, 'PYTHONWARNINGS': 'ignore'}


def command(state, *arguments):
    """The command line for a state directory."""
    return [sys.executable, '-m', 'magnum_lite_dev.cli', *arguments, '--state', str(state)]


def run(state, *arguments):
    """(exit status, output, errors) of one command."""
    result = subprocess.run(
        command(state, *arguments),
        capture_output=True,
        text=True,
        env=QUIET,
        timeout=120,
        check=False,
    )
    return result.returncode, result.stdout, result.stderr


def plain_shell(line):
    """What a line prints in a new terminal."""
    return subprocess.run(
        ['bash', '-c', line],
        capture_output=True,
        text=True,
        timeout=120,
        env={'PATH': '/usr/bin:/bin'},
        check=True,
    ).stdout


def running(state):
    """The command lines of processes that work in the state directory."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            line = path.read_bytes().decode(errors='replace').replace('\0', ' ')
        except OSError:
            continue
        if str(state) in line and 'magnum_lite_dev' in line:
            found.append(line)
    return found


def wait_for(condition, within_s=PATIENCE_S):
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, 'it did not come true'
        time.sleep(0.1)


@pytest.fixture
def state(tmp_path):
    path = tmp_path / 'state'
    yield path
    if State(path).is_prepared:
        run(path, 'down')
    assert running(path) == []


def test_up_status_env_and_down(state):
    up = ('up', '--port', 'auto', '--heat-port', 'auto', '--no-client')
    code, output, errors = run(state, *up)
    assert code == 0, errors
    assert 'export OS_ENDPOINT=' in output
    assert (state / 'secrets.key').stat().st_mode & 0o077 == 0
    ports = State(state).ports

    code, output, _ = run(state, 'up', '--no-client')
    assert (code, 'runs already' in output) == (0, True)
    assert 'export PATH=' not in run(state, 'env')[1]
    for _ in range(2):
        assert run(state, 'up', '--client', '/bin/true')[0] == 0
        assert 'export PATH=/bin:"$PATH"' in run(state, 'env')[1]
    code, output, _ = run(state, 'status')
    assert (code, output.count('healthy'), 'clusters none' in output) == (0, 2, True)
    code, output, _ = run(state, 'env')
    assert f'export OS_ENDPOINT=http://127.0.0.1:{ports["api"]}/v1' in output
    code, output, _ = run(state, 'logs', 'heat', '-n', '3')
    assert (code, len(output.splitlines())) == (0, 3)

    # A process that died is told, and started again on the same ports.
    pid = (
        next(line for line in run(state, 'status')[1].splitlines() if line.startswith('api'))
        .split('pid ')[1]
        .split()[0]
    )
    os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: run(state, 'status')[0] == 3)
    assert 'died' in run(state, 'status')[1]
    code, output, errors = run(state, 'up', '--no-client')
    assert (code, 'api had ended' in output) == (0, True), errors
    assert State(state).ports == ports

    # What a kept demonstration prints works in a shell that knows nothing of its environment.
    take_up, end = demo.to_go_on(State(state))
    assert f'http://127.0.0.1:{ports["api"]}/v1' in plain_shell(f'{take_up}; echo $OS_ENDPOINT')
    assert 'deleted' in plain_shell(end)
    assert running(state) == []
    assert not state.exists()


@pytest.mark.parametrize(
    ('number', 'after_s'), [(signal.SIGINT, 0.6), (signal.SIGTERM, 2.5), (signal.SIGINT, 7)]
)
def test_an_interrupted_start_leaves_nothing_running(state, number, after_s):
    # Its own session, or the signal would reach only a part of what a terminal reaches.
    process = subprocess.Popen(
        command(state, 'demo', '--client', '/bin/true'),
        env=QUIET,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(after_s)
    if process.poll() is None:
        process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    # A quick machine may have come as far as the first command, which this client does not obey.
    assert process.returncode in (130, 1), errors
    assert running(state) == []


def test_a_killed_demonstration_leaves_nothing_running(state):
    process = subprocess.Popen(
        command(state, 'demo', '--client', '/bin/true'),
        env=QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: any('magnum_lite_dev.heat_process' in line for line in running(state)))
    process.kill()
    process.wait()
    wait_for(lambda: running(state) == [])


def test_a_port_in_use_is_named(state):
    with socket.socket() as squatter:
        squatter.bind(('127.0.0.1', 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        code, _, errors = run(state, 'up', '--heat-port', str(port), '--no-client')
    assert (code, f'port {port} is in use' in errors, '--heat-port' in errors) == (1, True, True)


def test_a_directory_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('all of it')
    code, _, errors = run(tmp_path, 'up', '--no-client')
    assert (code, 'is not empty' in errors) == (1, True)
    code, _, errors = run(tmp_path, 'down', '--purge')
    assert (code, 'no embedded service' in errors) == (1, True)
    assert (tmp_path / 'thesis.txt').exists()


def test_broken_settings_say_how_to_go_on(tmp_path):
    (tmp_path / 'settings.json').write_text('{')
    with pytest.raises(Trouble, match='down --purge'):
        _ = State(tmp_path).ports


def test_ports_are_chosen_once(tmp_path):
    state = State(tmp_path / 'new')
    state.prepare()
    state.choose_ports({'api': 0, 'heat': 4711})
    chosen = state.ports
    assert chosen['heat'] == 4711
    assert len({*chosen.values(), 0}) == 4
    state.choose_ports({})
    assert state.ports == chosen


def test_exports_survive_a_shell(tmp_path):
    program = tmp_path / "it's $(touch hacked)" / 'openstack'
    program.parent.mkdir()
    text = exports('http://127.0.0.1:1', program)
    shown = subprocess.run(
        ['/bin/sh', '-c', f'{text}\necho "$OS_TOKEN|$PATH"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith(f'demo:demo:member,reader|{program.parent}:')
    assert not (tmp_path / 'hacked').exists()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ('stream', 'variables', 'coloured'),
    [
        (Terminal, {}, True),
        (Terminal, {'NO_COLOR': '1'}, False),
        (Terminal, {'TERM': 'dumb'}, False),
        (io.StringIO, {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, stream, variables, coloured):
    for name in ('NO_COLOR', 'TERM'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shown = stream()
    Screen(shown).line('done', 'good')
    assert ('\033[' in shown.getvalue()) is coloured


def test_progress_without_a_terminal_is_one_line_for_each_news():
    shown = io.StringIO()
    screen = Screen(shown)
    for text in ('QUEUED', 'QUEUED', 'WAITING', 'WAITING'):
        screen.progress(1, 2, 'stacks', text, '1 s')
    assert [line.split()[-1] for line in shown.getvalue().splitlines()] == ['QUEUED', 'WAITING']


@pytest.mark.parametrize('server', ['None', 'https://:6443', 'https://fd00:1::d:6443', '~'])
def test_a_kubeconfig_without_a_server_is_refused(tmp_path, server):
    made = authority.make('kubernetes', key_type='ec-p256', days=2)
    pem, key = (base64.b64encode(text.encode()).decode() for text in (made.pem, made.key))
    (tmp_path / 'config').write_text(
        f'clusters: [{{cluster: {{server: {json.dumps(server)}, certificate-authority-data: {pem}'
        f'}}}}]\nusers: [{{user: {{client-certificate-data: {pem}, client-key-data: {key}}}}}]\n'
    )
    for ask in (kubeconfig.describe, kubeconfig.nodes):
        with pytest.raises(Trouble, match=f'cannot be used: its server is {re.escape(server)}'):
            ask(tmp_path / 'config')


def test_a_kubeconfig_without_certificates_is_refused(tmp_path):
    (tmp_path / 'config').write_text(
        'clusters: [{cluster: {server: "https://x"}}]\nusers: [{user: {token: t}}]\n'
    )
    with pytest.raises(Trouble, match='cannot be used'):
        kubeconfig.describe(tmp_path / 'config')
