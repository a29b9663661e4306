"""The database of the service: one server of this machine, or three nodes of Galera."""

import contextlib
import uuid
from dataclasses import dataclass, field

import sqlalchemy as sa

from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.doors import BalancingDoor, Door, before
from magnum_lite_dev.rig.services import service_url
from tools.chaos.galera import Watch, running_galera

DATABASES = ('mariadb', 'postgresql', 'galera')
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
        # PostgreSQL keeps a database that somebody is still connected to.
        past = enter(
            fresh_database(
                service_url(kind), at_the_end='WITH (FORCE)' if kind == 'postgresql' else ''
            )
        )
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
