"""``magnum-lite-dev image``: node images from Debian packages."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from magnum_lite_dev.nodes import image, machine, recipe
from magnum_lite_dev.trouble import Trouble

# One package, and that only unpacked: seconds instead of a minute.
TINY = """\
tiny:
  suite: bookworm
  variant: extract
  packages: [busybox-static]
  excluded: [/usr/share/doc/*, /usr/share/man/*, /usr/share/locale/*]
  files: {/etc/made: here}
  removed: [/usr/share/lintian/overrides/busybox-static]
  properties: {os_distro: debian}
broken:
  suite: bookworm
  variant: extract
  packages: [no-such-package-anywhere]
"""


def run(state, *arguments, **how):
    """(exit status, output, errors) of ``magnum-lite-dev image``."""
    done = subprocess.run(
        [sys.executable, '-m', 'magnum_lite_dev.cli', 'image', *arguments, '--state', str(state)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **how,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def recipes(tmp_path):
    path = tmp_path / 'recipes.yaml'
    path.write_text(TINY)
    return path


@pytest.mark.nodes
def test_an_image_is_built_once_layered_listed_and_removed(tmp_path, recipes):
    state, layer = tmp_path / 'state', tmp_path / 'layer'
    layer.mkdir()
    made = ('build', 'tiny', '--recipes', str(recipes))
    code, output, errors = run(state, *made)
    assert (code, 'downloading packages' in output, 'tiny: built after' in output) == (
        0,
        True,
        True,
    ), errors
    assert 'there already' in run(state, *made)[1]
    code, output, errors = run(state, *made, '--name', 'tiny-2', '--layer', str(layer))
    assert (code, 'there already' in output) == (0, True), errors

    images = image.Images(state / 'images')
    first, second = images.list()
    assert second.directories == [str(layer), first.tree]
    root = images.directory / first.tree
    assert (root / 'etc/made').read_text() == 'here'
    assert (root / 'bin/busybox').exists()
    assert not (root / 'usr/share/lintian/overrides/busybox-static').exists()
    assert first.properties == {'os_distro': 'debian'}

    output = run(state, 'list')[1]
    assert output.splitlines()[0].startswith('tiny ') and f'layer {layer}' in output
    layer.rmdir()
    assert f'gone: {layer}' in run(state, 'list')[1]
    with pytest.raises(Trouble, match='cannot be used'):
        images.get('tiny-2')

    assert run(state, 'remove', 'tiny')[0] == 0
    assert root.exists()
    assert run(state, 'remove', 'tiny-2')[0] == 0
    assert not root.exists()
    assert 'there is no image tiny' in run(state, 'remove', 'tiny')[2]


@pytest.mark.nodes
def test_a_builder_that_fails_leaves_its_words_and_nothing_else(tmp_path, recipes):
    code, _, errors = run(tmp_path / 'state', 'build', 'broken', '--recipes', str(recipes))
    assert (code, 'no-such-package-anywhere' in errors) == (1, True)
    assert [path.name for path in (tmp_path / 'state/images').iterdir()] == ['lock']


@pytest.mark.nodes
def test_what_a_builder_mounts_is_gone_with_it_when_it_is_killed(tmp_path, recipes):
    # As mmdebstrap does while packages are set up, and no longer.
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'mount').mkdir()
    builder = tmp_path / 'bin/mmdebstrap'
    builder.write_text(
        f'#!/bin/sh\nmount -t tmpfs builder {tmp_path}/mount\necho "I: mounted"\nsleep 60\n'
    )
    builder.chmod(0o755)
    program = [sys.executable, '-m', 'magnum_lite_dev.cli', 'image', 'build', 'tiny']
    with subprocess.Popen(
        [*program, '--recipes', recipes, '--state', tmp_path / 'state'],
        env={**os.environ, 'PATH': f'{tmp_path}/bin:{os.environ["PATH"]}'},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert any('mounted' in line for line in process.stdout)
        assert str(tmp_path / 'mount') not in Path('/proc/self/mountinfo').read_text()
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.root
def test_without_the_rights_it_says_so_and_makes_nothing(tmp_path):
    # Who has no rights may not even read this environment, so they go when it was read.
    program = (
        'import os, sys; from magnum_lite_dev import cli, commands; os.seteuid(65534); '
        f'sys.exit(cli.main(["image", "build", "swarm", "--state", "{tmp_path}/state"]))'
    )
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, 'not root' in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / 'state').exists()


def test_a_program_that_is_missing_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(machine, 'BUILDS', {'no-such-builder': 'builders'})
    assert 'not installed: no-such-builder (Debian: builders)' in machine.lacks_for_images()


@pytest.mark.parametrize(
    ('text', 'told'),
    [
        ('a: [', 'cannot be read'),
        ('other: {}', 'no recipe mine'),
        ('mine: {suite: bookworm}', "missing 1 required positional argument: 'packages'"),
        ('mine: {suite: bookworm, packages: [], spice: 1}', 'spice'),
        ('mine: {suite: bookworm, packages: bash}', 'packages is no list'),
    ],
)
def test_a_recipe_that_is_none_is_refused_by_name(tmp_path, text, told):
    (tmp_path / 'r.yaml').write_text(text)
    with pytest.raises(Trouble, match=told):
        recipe.read('mine', tmp_path / 'r.yaml')


def test_what_glance_says_of_an_image_does_not_make_it_another():
    plain = recipe.read('swarm')
    told = {**vars(plain), 'properties': {'os_distro': 'other'}}
    assert recipe.Recipe(**told).digest == plain.digest
    assert recipe.Recipe(**{**vars(plain), 'packages': ['bash']}).digest != plain.digest


@pytest.mark.parametrize('name', ['../up', '.hidden', 'tree-x', 'a b', ''])
def test_a_name_that_is_no_name_of_an_image_is_refused(tmp_path, name):
    with pytest.raises(Trouble, match='is no name of an image'):
        image.Images(tmp_path).build(recipe.read('swarm'), print, name=name or ' ')
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == '[]'
