"""Databases without a service around them."""

import contextlib

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.db import migrate
from magnum_lite.db.engine import Database
from magnum_lite_dev.rig.services import service_url

SERVERS = [
    pytest.param(name, marks=getattr(pytest.mark, name)) for name in ('mariadb', 'postgresql')
]


@pytest.fixture(params=['sqlite', *SERVERS])
def connection(request, fresh_database, tmp_path):
    """URL of an empty database of each kind."""
    if request.param == 'sqlite':
        yield f'sqlite:///{tmp_path}/m.sqlite'
        return
    with fresh_database(service_url(request.param)) as url:
        yield url


@pytest.fixture
def connect(tmp_path):
    """A function from a URL to the configuration that has it."""
    conf = cfg.CONF

    def configure(url):
        conf.reset()
        options.register(conf)
        conf([], project='magnum-lite', default_config_files=[])
        conf.set_override('connection', url, group='database')
        return conf

    yield configure
    conf.clear_override('connection', group='database')
    conf.reset()


@contextlib.contextmanager
def _of_this_release(conf):
    """A database with the tables of this release."""
    migrate.upgrade(conf)
    database = Database(conf)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def database(connect, connection):
    """A database of each kind with the tables of this release."""
    with _of_this_release(connect(connection)) as database:
        yield database


@pytest.fixture
def sqlite(connect, tmp_path):
    """A database on SQLite with the tables of this release."""
    with _of_this_release(connect(f'sqlite:///{tmp_path}/m.sqlite')) as database:
        yield database


@pytest.fixture
def served(connect, server_database):
    """The same on each kind of server."""
    with _of_this_release(connect(server_database)) as database:
        yield database
