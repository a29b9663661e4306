"""The release before this one, installed from the repository's own history."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from magnum_lite_dev.rig.programs import Programs

COMMIT = '14dbbc4cb6cbd72b5c3091a5697f0e121c54c65d'  # release 1.0
TOP = Path(__file__).parents[2]
BUILD_S = 120


def sources(folder, *paths):
    """The folder, with these files and folders of that release.

    The test skips where the history does not reach back so far. It does so in CI too, where a
    missing service is a failure: a tarball has no history and a shallow clone little, both are
    right to test, and no setting would bring it.
    """
    if (
        not shutil.which('git')
        or subprocess.run(
            ['git', '-C', TOP, 'cat-file', '-e', f'{COMMIT}^{{commit}}'],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip(f'this checkout has no history with release 1.0 (commit {COMMIT[:7]})')
    archive = subprocess.run(
        ['git', '-C', TOP, 'archive', COMMIT, *paths],
        check=True,
        capture_output=True,
        timeout=BUILD_S,
    )
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(['tar', '-x', '-C', folder], input=archive.stdout, check=True, timeout=BUILD_S)
    return folder


def install(folder):
    """The ``Programs`` of that release and of its Kubernetes driver, built in ``folder``.

    Libraries are those of this environment. The test may skip: see ``sources``.
    """
    installed = folder / 'installed'
    source = sources(
        folder / 'source',
        'magnum_lite',
        'magnum_lite_dev',
        'alembic',
        'drivers/kubernetes',
        'setup.cfg',
        'pyproject.toml',
        'README.rst',
        'LICENSE',
        'MANIFEST.in',
    )
    subprocess.run(
        [
            sys.executable,
            '-m',
            'pip',
            'install',
            '-q',
            '--no-deps',
            '--no-build-isolation',
            '--target',
            installed,
            source,
            source / 'drivers/kubernetes',
        ],
        check=True,
        timeout=BUILD_S,
    )
    _hide_later_drivers(installed)
    return Programs(installed / 'bin', installed)


def _hide_later_drivers(installed):
    """Let that release not see the drivers of this environment that it had not: it would load them.

    Of two distributions of one name Python knows the first, and this one has no entry points.
    """
    for directory in (TOP / 'drivers').glob('*/pyproject.toml'):
        name = f'magnum_lite_{directory.parent.name}'
        if not (installed / name).exists():
            hidden = installed / f'{name}-0.dist-info'
            hidden.mkdir()
            (hidden / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 0\n')


def kinds(programs):
    """The kinds of operations that a conductor of that release knows."""
    code = 'from magnum_lite.objects.operation import KINDS; print(*KINDS)'
    shown = subprocess.run(
        [sys.executable, '-c', code],
        cwd=programs.path,
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
        text=True,
    )
    return set(shown.stdout.split())
