"""The guide for authors of drivers is enough: what stands in it passes the kit."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / 'doc' / 'drivers.rst'


def block(section, language):
    """The first block of code of a section in that language."""
    text = GUIDE.read_text().partition(f'\n{section}\n{"=" * len(section)}\n')[2]
    found = re.search(rf'\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)', text)
    return textwrap.dedent(found.group(1))


@pytest.mark.needs('shellcheck')
def test_the_driver_of_the_guide_passes_the_kit(tmp_path):
    for name, text in {
        'acme_driver/__init__.py': '',
        'acme_driver/driver.py': block('Start', 'python'),
        'acme_driver/templates/nodes.yaml': block('Start', 'yaml'),
        'tests/test_contract.py': block('The kit', 'python'),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert ' passed' in done.stdout
