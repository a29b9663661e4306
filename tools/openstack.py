"""Makes the environment of the OpenStack services that tests run: ``openstack.py DIRECTORY``."""

import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / 'openstack-requirements.txt'


def main():
    """Make it, unless it is there with these versions."""
    directory = Path(sys.argv[1])
    made = directory / 'made'
    if made.exists() and made.read_text() == REQUIREMENTS.read_text():
        return
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run([sys.executable, '-m', 'venv', directory], check=True)
    subprocess.run([*_pip(directory), '-q', '--no-deps', '-r', REQUIREMENTS], check=True)
    made.write_text(REQUIREMENTS.read_text())


def _pip(directory):
    """The command that installs: by uv where it is, which takes a tenth of the time."""
    python, uv = directory / 'bin/python', shutil.which('uv')
    return [uv, 'pip', 'install', '--python', python] if uv else [python, '-m', 'pip', 'install']


if __name__ == '__main__':
    main()
