"""The wheel, built from a copy of the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_the_wheel_brings_the_samples(tmp_path):
    for name in ('magnum_lite', 'magnum_lite_dev', 'alembic', 'etc'):
        shutil.copytree(TOP / name, tmp_path / name, symlinks=True)
    for name in ('setup.cfg', 'pyproject.toml', 'README.rst', 'LICENSE', 'MANIFEST.in'):
        shutil.copy(TOP / name, tmp_path)
    subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'wheel',
            '-q',
            '--no-deps',
            '--no-build-isolation',
            '--wheel-dir',
            tmp_path / 'wheels',
            tmp_path,
        ],
        check=True,
        timeout=120,
    )
    (wheel,) = (tmp_path / 'wheels').glob('*.whl')
    names = {
        Path(name).name
        for name in zipfile.ZipFile(wheel).namelist()
        if '.data/data/etc/magnum_lite/' in name
    }
    assert names == {path.name for path in (TOP / 'etc/magnum_lite').iterdir()}
