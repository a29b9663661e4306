"""The contributor's guide says what each folder is for."""

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Folders of what the guide names as a whole.
WHOLE = ('tests/', 'drivers/', 'doc/', 'etc/', 'releasenotes/')


def test_each_folder_has_a_line_in_the_guide():
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip('not a git checkout: a tarball cannot say which files are ours')
    folders = {
        str(folder)
        for name in listed.stdout.split('\0')
        if name
        for folder in PurePosixPath(name).parents
        if str(folder) != '.'
    }
    text = (ROOT / 'doc' / 'contributing.rst').read_text()
    named = set(re.findall(r'``([\w./]+?)/?``', text))
    # By its own name below the folder that it is in, or by the whole path.
    assert (
        sorted(
            folder
            for folder in folders
            if not named & {folder, folder.partition('/')[2]} and not folder.startswith(WHOLE)
        )
        == []
    )
    assert {folder for folder in folders if re.fullmatch(r'tests/\w+', folder)} <= named
