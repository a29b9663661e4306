"""The wheels, built from a copy of the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
DRIVERS = sorted(path.parent for path in TOP.glob('drivers/*/pyproject.toml'))


def build(source):
    """(names in the wheel of a folder, what was printed)."""
    built = subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'wheel',
            '-v',
            '--no-deps',
            '--no-build-isolation',
            '--wheel-dir',
            source / 'wheels',
            source,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stdout
    (wheel,) = (source / 'wheels').glob('*.whl')
    return zipfile.ZipFile(wheel).namelist(), built.stdout


def test_the_wheel_brings_the_samples(tmp_path):
    for name in ('magnum_lite', 'magnum_lite_dev', 'alembic', 'etc'):
        shutil.copytree(TOP / name, tmp_path / name, symlinks=True)
    for name in ('setup.cfg', 'pyproject.toml', 'README.rst', 'LICENSE', 'MANIFEST.in'):
        shutil.copy(TOP / name, tmp_path)
    names, printed = build(tmp_path)
    samples = {Path(name).name for name in names if '.data/data/etc/magnum_lite/' in name}
    assert samples == {path.name for path in (TOP / 'etc/magnum_lite').iterdir()}
    assert 'Warning' not in printed


@pytest.mark.parametrize('driver', DRIVERS, ids=lambda path: path.name)
def test_the_wheel_of_a_driver_brings_its_data_and_nobody_is_warned(driver, tmp_path):
    source = tmp_path / 'driver'
    shutil.copytree(driver, source, ignore=shutil.ignore_patterns('build', '*.egg-info', 'tests'))
    names, printed = build(source)
    (package,) = driver.glob('magnum_lite_*/')
    wanted = {
        str(path.relative_to(driver))
        for path in package.rglob('*')
        if path.is_file() and path.suffix != '.pyc'
    }
    assert {name for name in names if '.dist-info/' not in name} == wanted
    assert 'Warning' not in printed  # setuptools' own, of what may be missing
