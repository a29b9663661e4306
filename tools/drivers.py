"""Try the wheels as an operator gets them: the service alone, then each driver beside it.

Nothing of the checkout is importable here, so that what the wheels lack fails. Arguments name the
driver directories to try; none means all. With ``--editable`` they are installed into the
environment of this program instead, from their sources.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / 'constraints.txt'
IN_THE_WHEEL = (
    'magnum_lite/driver_sdk/py.typed',
    'magnum_lite/driver_sdk/scripts/boot_lib.sh',
    'magnum_lite/driver_sdk/templates/node_volume.yaml',
    'magnum_lite/migrations/env.py',
    'magnum_lite/migrations/script.py.mako',
    'magnum_lite/migrations/versions/001_initial.py',
)


def run(*command, cwd):
    """Run a command without our Python path; raises CalledProcessError when it fails."""
    print('$', *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}
    subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=True)


def build(source, into):
    """Build the wheel of a source directory by way of its sdist; gives the wheel's path."""
    into.mkdir()
    run(sys.executable, '-m', 'build', '--outdir', into, source, cwd=into)
    (wheel,) = into.glob('*.whl')
    return wheel


def environment(path):
    """Make a virtual environment; gives its bin directory."""
    run(sys.executable, '-m', 'venv', path, cwd=path.parent)
    return path / 'bin'


def install(programs, *what):
    """Install within the constraints; by uv where it is, which takes a tenth of the time."""
    python, uv = programs / 'python', shutil.which('uv')
    pip = [uv, 'pip', 'install', '--python', python] if uv else [python, '-m', 'pip', 'install']
    run(*pip, '-q', '-c', CONSTRAINTS, *what, cwd=programs.parent)


def check_contents(wheel):
    """Raise SystemExit when the wheel lacks what only a symlink or package data brings."""
    names = set(zipfile.ZipFile(wheel).namelist())
    steps = {
        f'magnum_lite/migrations/versions/{path.name}'
        for path in (ROOT / 'alembic' / 'versions').glob('*.py')
    }
    lacking = sorted((steps | set(IN_THE_WHEEL)) - names)
    if lacking:
        raise SystemExit(f'{wheel.name} lacks {", ".join(lacking)}')


def try_service(wheel, work):
    """Make the tables and the samples with nothing but the wheel and its requirements."""
    programs = environment(work / 'bare')
    install(programs, wheel)
    run(programs / 'python', '-m', 'pip', 'check', cwd=work)
    settings = work / 'magnum_lite.conf'
    settings.write_text(
        f'[database]\nconnection = sqlite:///{work}/bare.sqlite\n'
        f'[secrets]\nkey_file = {work}/keys\n'
        '[enrolment]\npublic_url = https://containers.example.org\n'
    )
    for words in (['db', 'upgrade'], ['db', 'current'], ['secret', 'key']):
        run(programs / 'magnum-lite-manage', '--config-file', settings, *words, cwd=work)
    run(programs / 'magnum-lite-status', '--config-file', settings, 'upgrade', 'check', cwd=work)
    run(
        programs / 'oslo-config-generator',
        '--namespace',
        'magnum_lite',
        '--output-file',
        work / 'conf.sample',
        cwd=work,
    )
    run(
        programs / 'oslopolicy-sample-generator',
        '--namespace',
        'magnum_lite',
        '--output-file',
        work / 'policy.sample',
        cwd=work,
    )


def try_driver(directory, service, work, pytest_arguments):
    """Run the tests of one driver against the two wheels in an environment of its own."""
    wheel = build(directory, work / f'dist-{directory.name}')
    programs = environment(work / f'driver-{directory.name}')
    install(programs, f'{service}[embedded,test]', wheel)
    run(
        programs / 'pytest',
        '-c',
        directory / 'pyproject.toml',
        '--rootdir',
        directory,
        directory / 'tests',
        # tox -e nodes has an image for those that boot.
        '-m',
        'not nodes',
        *pytest_arguments,
        cwd=work,
    )


def install_editable(directories):
    """Install drivers from their sources, beside a service that is here already."""
    sources = [part for path in directories for part in ('-e', path)]
    options = ('-qq', '--no-deps', '--no-build-isolation')
    run(sys.executable, '-m', 'pip', 'install', *options, *sources, cwd=ROOT)


def main():
    """Build, install and test; the exit status is that of the first command that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('drivers', nargs='*', help='directories below drivers/')
    parser.add_argument('--editable', action='store_true', help='install, and try nothing')
    arguments, pytest_arguments = parser.parse_known_args()
    directories = [
        path.parent
        for path in sorted((ROOT / 'drivers').glob('*/pyproject.toml'))
        if not arguments.drivers or path.parent.name in arguments.drivers
    ]
    if not directories:
        raise SystemExit('no such driver')
    if arguments.editable:
        return install_editable(directories)
    # Beside this Python and not in /tmp, where stevedore keeps no cache of entry points: each Heat
    # would look for them anew.
    with tempfile.TemporaryDirectory(prefix='magnum-lite-', dir=sys.prefix) as folder:
        work = Path(folder)
        service = build(ROOT, work / 'dist')
        check_contents(service)
        try:
            try_service(service, work)
            for directory in directories:
                try_driver(directory, service, work, pytest_arguments)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f'{error.cmd[0]} ended with {error.returncode}') from None


if __name__ == '__main__':
    main()
