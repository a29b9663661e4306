"""The volume of containers at the next boot, as systemd itself reads what the script wrote."""

import dataclasses
import os
import subprocess

import pytest

from magnum_lite.driver_sdk.testing import example

GENERATOR = '/usr/lib/systemd/system-generators/systemd-fstab-generator'
pytestmark = pytest.mark.needs('jq', 'systemd-analyze', GENERATOR)
# As distributions have it: local file systems come first, but for those that may be missing.
CONTAINERD = (
    '[Unit]\nAfter=network.target local-fs.target\n'
    '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n'
)


@pytest.fixture
def booted(make_node, driver):
    """A node with a volume for containers, after its first boot."""
    spec = example.spec(driver, server_type='vm')
    groups = tuple(dataclasses.replace(g, docker_volume_size=10) for g in spec.node_groups)
    node = make_node(node_groups=groups)
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    return node


def settings(node, unit):
    """``[(setting, value)]`` that systemd finds for a unit at the next boot."""
    units, generated = node.root / 'etc/systemd/system', node.root / 'generated'
    generated.mkdir(exist_ok=True)
    (units / 'containerd.service').write_text(CONTAINERD)
    fstab = node.root / 'fstab'
    fstab.write_text(node.read('etc/fstab').replace(str(node.root), ''))
    for path in units.glob('*.service.d/*.conf'):
        path.write_text(path.read_text().replace(str(node.root), ''))
    subprocess.run(
        [GENERATOR, generated, generated, generated],
        check=True,
        capture_output=True,
        env={'SYSTEMD_FSTAB': str(fstab)},
    )
    found = subprocess.run(
        ['systemd-analyze', 'verify', unit],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ
        | {'SYSTEMD_LOG_LEVEL': 'debug', 'SYSTEMD_UNIT_PATH': f'{units}:{generated}:'},
    )
    own = found.stdout.partition(f'Unit {unit}:')[2].partition('-> Unit ')[0]
    return [
        tuple(line.strip().split(' (')[0].split(': ', 1))
        for line in own.splitlines()
        if ': ' in line
    ]


def test_containerd_starts_after_its_volume_is_mounted_and_not_without(booted):
    found = settings(booted, 'containerd.service')
    assert ('After', 'var-lib-containerd.mount') in found
    assert ('Requires', 'var-lib-containerd.mount') in found


def test_a_boot_goes_on_without_the_volume(booted):
    found = settings(booted, 'local-fs.target')
    assert ('After', 'local-fs-pre.target') in found
    assert ('Requires', 'var-lib-containerd.mount') not in found
    assert ('After', 'var-lib-containerd.mount') not in found


def test_a_second_boot_writes_nothing_twice(booted):
    before = booted.read('etc/fstab')
    booted.boot('control_plane.sh')
    assert booted.read('etc/fstab') == before
    assert before.count('LABEL=containers') == 1
    assert booted.first('systemctl daemon-reload') < booted.first('mountpoint')
