"""The database of the service: one server of this machine, or three nodes of Galera."""

import contextlib
import os
import uuid
from dataclasses import dataclass, field

import sqlalchemy as sa

from tests.doors import BalancingDoor, Door, before
from tests.service.deployment import mariadb
from tools.chaos.galera import Watch, running_galera

SERVERS = {
    'mariadb': os.environ.get('MAGNUM_LITE_TEST_MARIADB', 'mysql+pymysql://root@127.0.0.1:3306'),
    'postgresql': os.environ.get(
        'MAGNUM_LITE_TEST_POSTGRESQL', 'postgresql+psycopg://postgres@127.0.0.1:5432'
    ),
}
DATABASES = (*SERVERS, 'galera')
# What another node has accepted is seen at once.
SEEN = {'init_command': 'SET SESSION wsrep_sync_wait = 7'}


@dataclass(frozen=True)
class Served:
    """An empty database.

    :ivar door: before it, and ``url`` through it; ``past`` is the URL past it.
    :ivar victims: {name: what else of it can be hurt}.
    """

    door: Door
    url: str
    past: str
    victims: dict = field(default_factory=dict)


@contextlib.contextmanager
def running_database(logs, kind, say):
    """A database of its own; dropped at the end.

    :param logs: a directory for logs.
    :param kind: one of ``DATABASES``.
    :returns: context manager with a ``Served``.
    """
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        if kind == 'galera':
            galera = enter(running_galera(logs, say))
            past = _first_node(galera)
            door = enter(BalancingDoor([node.address for node in galera.nodes]))
            enter(Watch(galera.nodes, door))
            url = sa.make_url(past)
            yield Served(
                door,
                url.set(port=door.port).render_as_string(),
                url.update_query_dict(SEEN).render_as_string(),
                {'galera': galera},
            )
            return
        past = enter({'mariadb': mariadb, 'postgresql': _postgresql}[kind](SERVERS[kind]))
        door, url = before(enter, Door, past)
        yield Served(door, url, past)


def _first_node(galera):
    """URL of a database that goes with the nodes."""
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    host, port = galera.nodes[0].address
    server = f'mysql+pymysql://root@{host}:{port}'
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name}')
    engine.dispose()
    return f'{server}/{name}'


@contextlib.contextmanager
def _postgresql(server):
    """URL of a PostgreSQL database of its own; dropped at the end."""
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    engine = sa.create_engine(server, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name}')
    try:
        yield f'{server}/{name}'
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE {name} WITH (FORCE)')
        engine.dispose()
