"""Of servers that boot nothing is left, however their service ends; two share a machine."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from magnum_lite_dev import fixture
from magnum_lite_dev.deployment import Deployment
from magnum_lite_dev.nodes import cgroup, leftovers, namespace
from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.rig import booting
from magnum_lite_dev.state import State
from tests.dev.tenant import Tenant, wait_for
from tests.dev.test_cli import run

pytestmark = pytest.mark.nodes

UP = ('up', '--nodes', 'real', '--port', 'auto', '--heat-port', 'auto', '--no-client')
USER_DATA = '#!/bin/bash\necho once >> /var/tmp/ran\n'


def left(state):
    """What is on this machine of the nodes of a state directory."""
    owner = namespace.tag(state.node_files)
    found = [*namespace.there(owner), *(name for name in cgroup.names() if name == owner)]
    found += leftovers._mounts(state.node_files)
    links = subprocess.run(['ip', '-o', 'link'], capture_output=True, text=True, check=True).stdout
    found += [owner] * (owner in links)
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = path.read_bytes().decode(errors='replace')
        except OSError:
            continue
        if owner in words or str(state.node_files) in words:
            found.append(words)
    loops = subprocess.run(['losetup', '-a'], capture_output=True, text=True, check=True).stdout
    return found + [line for line in loops.splitlines() if str(state.node_files) in line]


@pytest.fixture
def state(tmp_path):
    """A state directory with the image of tests, in which nothing is left afterwards."""
    state = State(tmp_path / 'state')
    state.prepare()
    state.images.symlink_to(booting.built_images('swarm').directory)
    yield state
    if state.is_prepared:
        run(state.directory, 'down', '--purge')
    assert left(state) == []


def boot(state, name='one'):
    """The node of a new server that has process 1."""
    heat = fixture.read_ready(state.heat)
    tenant = Tenant(heat)
    network, _ = tenant.network('10.0.0.0/24')
    port = tenant.make('port', network_id=network['id'])
    tenant.wait(tenant.server(name, [port], USER_DATA), 'ACTIVE')
    return heat.node(name)


def has_run(node):
    """Whether the user data has run."""
    path = node.path('/var/tmp/ran')
    return path.exists() and path.read_text()


def test_a_killed_service_leaves_nothing_after_down_and_its_servers_boot_again(state):
    code, output, errors = run(state.directory, *UP)
    assert code == 0, errors
    assert f'public_url = {fixture.read_ready(state.heat).open_door(state.ports["api"])}' in (
        state.service_conf.read_text()
    )
    node = boot(state)
    wait_for(lambda: has_run(node), 90)
    assert 'nodes    real, 1; 1 images' in run(state.directory, 'status')[1]
    os.kill(Deployment(state).heat.pid, signal.SIGKILL)
    assert node.run('true').returncode == 0
    assert run(state.directory, 'down')[0] == 0
    assert left(state) == []
    assert (node.directory / 'disk.img').exists()

    # Its disk is there, so the server is: without its user data.
    code, output, errors = run(state.directory, 'up', '--no-client')
    assert code == 0, errors
    wait_for(lambda: (node.directory / 'root/etc').exists(), 30)
    assert has_run(node) == 'once\n'
    wait_for(lambda: _runs(node), 30)
    assert 'runs with real nodes' in run(state.directory, 'up', '--nodes', 'simulated')[2]
    assert run(state.directory, 'down', '--purge')[0] == 0
    assert left(state) == []
    assert not state.directory.exists()


def _runs(node):
    try:
        return node.run('true', check=False).returncode == 0
    except Broken:
        return False


def test_two_services_run_side_by_side_and_one_that_is_killed_is_cleaned_alone(running_cloud):
    nodes = []
    with (
        # As a test that fails.
        pytest.raises(ZeroDivisionError),
        running_cloud(nodes='real') as stays,
        running_cloud(nodes='real') as goes,
    ):
        for cloud in (stays, goes):
            tenant = Tenant(cloud)
            network, _ = tenant.network('10.0.0.0/24')
            port = tenant.make('port', network_id=network['id'])
            tenant.wait(tenant.server('same', [port]), 'ACTIVE')
            nodes.append(cloud.node('same'))
        assert nodes[0].shell('cat /etc/machine-id') != nodes[1].shell('cat /etc/machine-id')
        os.kill(goes.pid, signal.SIGKILL)
        gone = nodes[1].directory.parent
        wait_for(lambda: str(gone) in leftovers.orphans(), 10)
        done = subprocess.run(
            [sys.executable, '-m', 'magnum_lite_dev.cli', 'clean', '--all'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f'cleaned {gone}' in done.stdout
        assert not gone.exists() and not leftovers.is_there(gone)
        assert nodes[0].run('true').returncode == 0
        raise ZeroDivisionError
    assert not leftovers.is_there(nodes[0].directory.parent)
    assert not nodes[0].directory.parent.exists()


@pytest.mark.parametrize('after_s', [1, 6])
def test_an_interrupted_start_leaves_nothing(state, after_s):
    process = subprocess.Popen(
        [sys.executable, '-m', 'magnum_lite_dev.cli', *UP, '--state', str(state.directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    if process.returncode == 130:
        assert left(state) == []


def test_asked_for_and_not_possible_it_says_what_is_missing_and_starts_nothing(tmp_path):
    program = (
        'import os, sys; from magnum_lite_dev import cli, commands; os.seteuid(65534); '
        f'sys.exit(cli.main(["up", "--nodes", "real", "--state", "{tmp_path}/state"]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'servers cannot boot on this machine:\n  not root' in done.stderr
    assert not (tmp_path / 'state').exists()


def test_a_directory_that_was_used_with_simulated_nodes_keeps_them(tmp_path):
    state = State(tmp_path / 'state')
    state.prepare()
    (state.directory / 'service.sqlite').touch()
    code, _, errors = run(state.directory, 'up', '--nodes', 'real')
    assert (code, 'has been used with simulated nodes' in errors) == (1, True), errors


def test_a_path_that_no_mount_can_name_is_refused(tmp_path):
    code, _, errors = run(tmp_path / 'a:b', 'up', '--nodes', 'real')
    assert (code, 'no node boots below' in errors) == (1, True)
