"""Databases without a service around them."""

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.db import migrate
from magnum_lite.db.engine import Database


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


@pytest.fixture
def sqlite(connect, tmp_path):
    """A database on SQLite with the tables of this release."""
    conf = connect(f'sqlite:///{tmp_path}/m.sqlite')
    migrate.upgrade(conf)
    database = Database(conf)
    yield database
    database.dispose()
