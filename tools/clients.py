"""Makes the environments of the clients that the tests run: ``clients.py DIRECTORY``.

One per release of python-magnumclient that is supported, each in ``DIRECTORY/<version>``.
"""

import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent.parent / 'magnum_lite_dev' / 'client-requirements.txt'
VERSIONS = ('4.10.0', '5.0.0')


def main():
    """Make what is missing."""
    for version in VERSIONS:
        directory = Path(sys.argv[1]) / version
        if (directory / 'made').exists():
            continue
        pins = directory.with_suffix('.requirements')
        directory.parent.mkdir(parents=True, exist_ok=True)
        pins.write_text(
            '\n'.join(
                f'python-magnumclient=={version}'
                if line.startswith('python-magnumclient=')
                else line
                for line in REQUIREMENTS.read_text().splitlines()
            )
            + '\n'
        )
        subprocess.run([sys.executable, '-m', 'venv', directory], check=True)
        subprocess.run(
            [directory / 'bin' / 'python', '-m', 'pip', 'install', '-q', '--no-deps', '-r', pins],
            check=True,
        )
        (directory / 'made').touch()


if __name__ == '__main__':
    main()
