"""What unit tests share."""

import contextlib
import importlib
import sys

import pytest

from tests.unit.rude_heat import rude_heat


@pytest.fixture
def heat_of(tmp_path):
    """A function from the actions of a server to Heat's client, and the server."""
    with contextlib.ExitStack() as started:
        yield lambda *actions, **how: started.enter_context(rude_heat(tmp_path, *actions, **how))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package on disk, for the rules about files: ``package(path, text)`` adds a file."""
    where = tmp_path / 'package_of_a_driver'
    where.mkdir()
    (where / '__init__.py').touch()
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    importlib.import_module('package_of_a_driver')

    def add(path, text):
        (where / path).write_text(text)

    yield add
    del sys.modules['package_of_a_driver']
