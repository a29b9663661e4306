"""Sealing anew on other databases, whose transactions see and lock differently."""

import pytest

from tests.functional.test_secrets import (
    conf,
    db,
    test_a_reseal_takes_nothing_from_those_who_write_meanwhile,
    test_an_interrupted_reseal_goes_on_and_then_the_old_key_may_go,
)

__all__ = [
    'conf',
    'db',
    'test_a_reseal_takes_nothing_from_those_who_write_meanwhile',
    'test_an_interrupted_reseal_goes_on_and_then_the_old_key_may_go',
]


@pytest.fixture
def connection(server_database):
    """A fresh database on a server."""
    return server_database
