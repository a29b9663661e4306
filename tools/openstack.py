"""Makes the environment of the OpenStack services that tests run: ``openstack.py DIRECTORY``."""

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
    subprocess.run([sys.executable, '-m', 'venv', '--clear', directory], check=True)
    subprocess.run(
        [directory / 'bin/python', '-m', 'pip', 'install', '-q', '--no-deps', '-r', REQUIREMENTS],
        check=True,
    )
    made.write_text(REQUIREMENTS.read_text())


if __name__ == '__main__':
    main()
