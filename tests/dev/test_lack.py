"""What is not on this machine is a failure in CI, and a skip that says so elsewhere."""

import os
import subprocess
import sys

import pytest

ASKS = """
import pytest

@pytest.mark.needs({})
def test_it():
    pass
"""


@pytest.mark.parametrize(
    ('asked', 'told'),
    [
        ("'no-such-program', 'sh'", 'not installed: no-such-program'),
        ("packages=['no_such_package', 'pytest']", 'not installed: no_such_package'),
    ],
)
@pytest.mark.parametrize(('is_ci', 'word'), [('1', 'ERROR'), ('0', 'SKIPPED')])
def test_a_test_without_what_it_needs_fails_in_ci_and_skips_elsewhere(
    tmp_path, asked, told, is_ci, word
):
    (tmp_path / 'test_it.py').write_text(ASKS.format(asked))
    kept = {name: text for name, text in os.environ.items() if name != 'CI'}
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '-ra', '--strict-markers', '-p', 'no:cacheprovider'],
        cwd=tmp_path,
        env={**kept, 'MAGNUM_LITE_CI': is_ci},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert f'\n{word}' in done.stdout and told in done.stdout, done.stdout
