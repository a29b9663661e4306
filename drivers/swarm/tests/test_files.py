"""The units of the package, as systemd reads them."""

import os
import subprocess

import pytest

from magnum_lite_swarm import files

UNITS = ('door.service', 'metadata.service')


@pytest.mark.needs('systemd-analyze', '/usr/bin/socat')
@pytest.mark.parametrize('name', UNITS)
def test_systemd_has_nothing_to_say_about_a_unit(name, tmp_path):
    (tmp_path / f'magnum-lite-{name}').write_text(
        files.text(f'cloud_init/{name}').replace('/usr/sbin/iptables', '/usr/bin/true')
    )
    done = subprocess.run(
        ['systemd-analyze', 'verify', '--recursive-errors=no', f'magnum-lite-{name}'],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {'SYSTEMD_UNIT_PATH': f'{tmp_path}:'},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_the_engine_does_not_start_while_the_metadata_service_is_open():
    lines = files.text('cloud_init/metadata.service').splitlines()
    assert {'Before=docker.service', 'RequiredBy=docker.service'} <= set(lines)
