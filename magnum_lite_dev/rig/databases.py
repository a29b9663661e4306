"""Databases that a test has for itself."""

import contextlib
import uuid
from collections.abc import Iterator

import sqlalchemy as sa


@contextlib.contextmanager
def fresh_database(server_url, how='', *, at_the_end='') -> Iterator[str]:
    """URL of a new database at the server of a URL; dropped at the end.

    :param how: what follows in ``CREATE DATABASE``.
    :param at_the_end: what follows in ``DROP DATABASE``.
    """
    server = sa.create_engine(server_url, isolation_level='AUTOCOMMIT')
    name = f'magnum_lite_{uuid.uuid4().hex[:12]}'
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE {name} {how}')
    try:
        yield sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE {name} {at_the_end}')
        server.dispose()
