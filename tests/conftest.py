"""The services that a test may ask for with a marker."""

import contextlib
import functools
import gc
import importlib.util
import os
import socket
import uuid
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

# marker -> (environment variable that says where, default, port when the URL has none)
SERVICES = {
    'mariadb': ('MAGNUM_LITE_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1', 3306),
    'postgresql': ('MAGNUM_LITE_TEST_POSTGRESQL', 'postgresql+psycopg://postgres@127.0.0.1', 5432),
    'rabbitmq': ('MAGNUM_LITE_TEST_RABBITMQ', 'rabbit://guest:guest@127.0.0.1', 5672),
    'redis': ('MAGNUM_LITE_TEST_REDIS', 'redis://127.0.0.1', 6379),
}


def is_ci():
    """Whether a missing service is a failure instead of a skip."""
    return os.environ.get('MAGNUM_LITE_CI') == '1' or os.environ.get('CI') == 'true'


@functools.cache
def why_missing(marker):
    """Why the service of a marker cannot be used on this machine; None when it can."""
    if marker == 'root':
        return None if os.geteuid() == 0 else 'not root'
    if marker == 'clients':
        found = os.environ.get('MAGNUM_LITE_TEST_CLIENTS')
        return None if found else 'no clients; tools/clients.py makes them'
    if marker == 'keystone':
        found = importlib.util.find_spec('keystone')
        return None if found else 'no Keystone; pip install magnum-lite[identity]'
    variable, default, port = SERVICES[marker]
    url = urlsplit(os.environ.get(variable, default))
    address = (url.hostname or '127.0.0.1', url.port or port)
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError as error:
        return f'{marker} does not answer at {address[0]}:{address[1]} ({error}); set {variable}'
    return None


def pytest_collection_finish():
    """Let the collector of garbage leave what the imports made alone: a sixth of all the work."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skip a test whose service is missing, before any fixture tries to reach the service."""
    for marker in (*SERVICES, 'clients', 'keystone', 'root'):
        reason = why_missing(marker) if item.get_closest_marker(marker) else None
        if reason and is_ci():
            pytest.fail(reason, pytrace=False)
        if reason:
            pytest.skip(reason)


def service_url(marker):
    """URL of the service of a marker, as the environment or the default says."""
    variable, default, _ = SERVICES[marker]
    return os.environ.get(variable, default)


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


@pytest.fixture
def fresh_database():
    """A context manager from the URL of a server to that of a database, dropped afterwards.

    What follows the URL is SQL of the ``CREATE DATABASE``.
    """

    @contextlib.contextmanager
    def make(server_url, how=''):
        server = sa.create_engine(server_url, isolation_level='AUTOCOMMIT')
        name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
        with server.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE {name} {how}')
        try:
            yield sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
        finally:
            with server.connect() as connection:
                connection.exec_driver_sql(f'DROP DATABASE {name}')
            server.dispose()

    return make


@pytest.fixture(
    params=[
        pytest.param(name, marks=getattr(pytest.mark, name)) for name in ('mariadb', 'postgresql')
    ]
)
def server_database(request, fresh_database):
    """URL of a fresh database on each kind of server."""
    with fresh_database(service_url(request.param)) as url:
        yield url
