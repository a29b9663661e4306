"""What a test does without something that is not on this machine."""

import importlib.util
import shutil
from collections.abc import Iterable
from typing import NoReturn

import pytest

from magnum_lite_dev.rig.services import is_ci


def lack(reason: str) -> NoReturn:
    """End a test that cannot be run: in CI it fails, elsewhere it skips and says why."""
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def lacking(marks: Iterable[pytest.Mark]) -> list[str]:
    """The programs and packages that marks ``needs`` name and that are not installed."""
    found = []
    for mark in marks:
        found += [name for name in mark.args if shutil.which(name) is None]
        found += [
            name
            for name in mark.kwargs.get('packages', ())
            if importlib.util.find_spec(name) is None
        ]
    return found
