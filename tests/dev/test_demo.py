"""What the demonstration is asked for: possible or refused in one line, before anything starts."""

import subprocess
import sys

import pytest

from magnum_lite_dev import tenants
from magnum_lite_dev.state import State
from magnum_lite_dev.trouble import Trouble
from tests.dev.test_cli import QUIET, command, run

REAL = ('demo', '--coe', 'swarm', '--nodes', 'real')
SAYS = 'magnum-lite-dev: the demonstration cannot run on this machine: '


def refused(done):
    """The one line of a command that failed."""
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, '')
    return line


def test_without_a_word_it_is_kubernetes_on_simulated_nodes(monkeypatch):
    from magnum_lite_dev import cli, commands, demo

    shown = []
    monkeypatch.setattr(demo, 'run', lambda screen, tenant, **_: shown.append(tenant) or 0)
    for words in (['demo'], [*REAL]):
        args = cli.make_parser().parse_args(words)
        assert commands.COMMANDS['demo'](args, None) == 0
    assert [(type(tenant), tenant.nodes) for tenant in shown] == [
        (tenants.Kubernetes, 'simulated'),
        (tenants.Swarm, 'real'),
    ]


@pytest.mark.parametrize(
    ('coe', 'nodes', 'goes_with'),
    [('swarm', 'simulated', 'real'), ('kubernetes', 'real', 'simulated')],
)
def test_nodes_of_the_other_kind_are_refused(tmp_path, coe, nodes, goes_with):
    code, output, errors = run(tmp_path / 'state', 'demo', '--coe', coe, '--nodes', nodes)
    assert (code, output) == (1, '')
    assert f'--coe {coe} goes with --nodes {goes_with}' in errors
    assert not (tmp_path / 'state').exists()


def test_who_is_not_root_is_told_so_and_nothing_starts(tmp_path):
    program = (
        'import os, sys; from magnum_lite_dev import cli, commands\n'
        'os.geteuid() or os.seteuid(65534)\n'
        f'sys.exit(cli.main({[*REAL, "--state", f"{tmp_path}/state"]}))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False, env=QUIET
    )
    line = refused(done)
    assert line.startswith(SAYS) and 'not root' in line
    assert not (tmp_path / 'state').exists()


def test_programs_that_are_missing_are_named_and_nothing_starts(tmp_path):
    done = subprocess.run(
        command(tmp_path / 'state', *REAL),
        capture_output=True,
        text=True,
        check=False,
        env={**QUIET, 'PATH': str(tmp_path)},
    )
    line = refused(done)
    assert line.startswith(SAYS)
    assert 'systemd-nspawn' in line and 'docker (Debian: docker.io)' in line
    assert not (tmp_path / 'state').exists()


def test_a_driver_that_is_missing_is_named(monkeypatch):
    assert tenants.Kubernetes().lacks() == []
    monkeypatch.setattr(tenants.metadata, 'entry_points', lambda **_: _Nothing)
    (lack,) = tenants.Kubernetes().lacks()
    assert 'no driver of kubernetes' in lack


class _Nothing:
    names = frozenset()


def test_a_directory_of_simulated_nodes_is_not_used_for_real_ones(tmp_path, monkeypatch):
    from magnum_lite_dev import demo

    state = State(tmp_path / 'state')
    state.prepare()
    (state.directory / 'service.sqlite').touch()
    monkeypatch.setattr(tenants.Swarm, 'lacks', lambda self: [])
    with pytest.raises(Trouble, match='has been used with simulated nodes'):
        demo.run(
            None,
            tenants.choose('swarm', 'real'),
            state=state.directory,
            keep=False,
            program=None,
            build_seconds=1,
        )
