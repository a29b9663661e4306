"""The library of boot scripts, as drivers and nodes get it."""

import subprocess

import pytest

from magnum_lite.driver_sdk import boot


@pytest.fixture
def run(tmp_path):
    """``run(script)``: what bash prints once it has sourced the library."""
    library = tmp_path / 'boot_lib.sh'
    library.write_text(boot.text())

    def run(script):
        # A script that ends well reports nothing.
        done = subprocess.run(
            ['bash', '-c', f'. {library}; {script}'],
            check=True,
            text=True,
            capture_output=True,
            env={'PATH': '/usr/bin:/bin', 'TMPDIR': str(tmp_path)},
        )
        return done.stdout

    return run


def test_a_plan_includes_it_by_its_name():
    assert boot.files() == {boot.LIBRARY: boot.text()}
    assert boot.LIBRARY.rpartition('/')[2] == boot.PATH.rpartition('/')[2]


def test_it_is_for_any_coe():
    assert not [word for word in ('kube', 'docker', 'swarm') if word in boot.text().lower()]


@pytest.mark.parametrize(
    ('also_lacking', 'told'),
    [
        ('', 'the image lacks none-such, nor-this\n'),
        (', that', 'the image lacks none-such, nor-this, that\n'),
    ],
)
def test_all_that_an_image_lacks_is_told_at_once(run, also_lacking, told):
    script = f'also_lacking="{also_lacking}"; if need none-such bash nor-this; then exit 1; fi'
    assert run(f'{script}; echo "$why"') == told


@pytest.mark.parametrize(
    ('telling', 'told'),
    [('', 'two three four five\n'), ('telling() { grep t; }; ', 'two three\n')],
)
def test_the_reason_of_a_failure_is_what_tells(run, telling, told):
    script = 'log=$TMPDIR/log; printf "%s\\n" one two three four five >"$log"; '
    assert run(f'{telling}{script}last_words "$log"') == told


@pytest.mark.parametrize(('seconds', 'granted'), [(10, '10\n'), (600, '90\n')])
def test_a_boot_gives_up_before_its_stack_does(run, seconds, granted):
    assert run(f'BOOT_LIMIT_S=100; at_most {seconds}') == granted
