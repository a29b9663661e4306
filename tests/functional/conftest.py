"""The service beside one real Heat and its simulated cloud; on SQLite unless a test says else."""

import contextlib

import pytest

from magnum_lite_dev.fixture import running_heat
from tests import fixtures


@pytest.fixture(scope='session')
def heat(tmp_path_factory):
    """A Heat process and the cloud that look-ups ask."""
    with running_heat(tmp_path_factory.mktemp('heat')) as running:
        yield running


@pytest.fixture
def connection():
    """Where the database is; None for SQLite."""
    return None


@pytest.fixture
def conf(tmp_path, heat, connection):
    """The configuration of a service with that cloud."""
    yield fixtures.make_conf(tmp_path, catalog=heat.catalog, connection=connection)
    fixtures.forget_conf()


@pytest.fixture
def api(conf):
    """The service."""
    with fixtures.service(conf) as running:
        yield running


@pytest.fixture
def configured(tmp_path):
    """A context manager of a service with some options, ``group={option: value}``, whose cloud
    does not answer."""

    @contextlib.contextmanager
    def make(**groups):
        with fixtures.service(fixtures.make_conf(tmp_path, **groups)) as running:
            yield running
        fixtures.forget_conf()

    return make
