"""The services that a test may ask for with a marker."""

import gc

import pytest

from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.lack import lack
from magnum_lite_dev.rig.services import NEEDS, service_url, why_missing


def pytest_collection_finish():
    """Let the collector of garbage leave what the imports made alone: a sixth of all the work."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skip a test whose service is missing, before any fixture tries to reach the service."""
    for marker in NEEDS:
        reason = why_missing(marker) if item.get_closest_marker(marker) else None
        if reason:
            lack(reason)


@pytest.fixture(scope='session')
def mariadb_url():
    """SQLAlchemy URL of a MariaDB server, without a database name."""
    return service_url('mariadb')


@pytest.fixture(scope='session')
def postgresql_url():
    """SQLAlchemy URL of a PostgreSQL server, without a database name."""
    return service_url('postgresql')


@pytest.fixture(scope='session')
def rabbitmq_url():
    """oslo.messaging transport URL of a RabbitMQ server."""
    return service_url('rabbitmq')


@pytest.fixture(name='fresh_database')
def _fresh_database():
    """``databases.fresh_database``."""
    return fresh_database


@pytest.fixture(
    params=[
        pytest.param(name, marks=getattr(pytest.mark, name)) for name in ('mariadb', 'postgresql')
    ]
)
def server_database(request, fresh_database):
    """URL of a fresh database on each kind of server."""
    with fresh_database(service_url(request.param)) as url:
        yield url
