"""A database that is away when the conductor starts, and has no tables when it is there."""

import contextlib
import subprocess
import time

import sqlalchemy as sa

from magnum_lite.db import migrate
from tests import fixtures
from tests.functional.programs import CONDUCTOR, PROGRAMS, written
from tests.functional.test_api_commit import PORTS, Door


@contextlib.contextmanager
def started(folder, url):
    """The conductor and its log, while the database is away, and the door before that."""
    found = sa.make_url(url)
    with Door(found.host, found.port or PORTS[found.get_backend_name()]) as door:
        door.is_shut = True
        here = found.set(host='127.0.0.1', port=door.server_address[1])
        path = written(
            folder,
            database={
                'connection': here.render_as_string(False).replace('%', '%%'),
                'max_retries': 100,
                'retry_interval': 1,
            },
        )
        log = folder / 'log'
        with (
            log.open('w') as file,
            subprocess.Popen(
                [PROGRAMS / CONDUCTOR, '--config-file', path], stdout=file, stderr=file, cwd=folder
            ) as process,
        ):
            try:
                wait_for(lambda: 'does not answer yet' in log.read_text(), log)
                yield process, log, door
            finally:
                process.terminate()
        door.shutdown()


def wait_for(condition, log):
    """Wait until something is the case, a minute at most."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


def test_a_database_without_tables_is_one_line_whenever_it_is_found(tmp_path, server_database):
    with started(tmp_path, server_database) as (conductor, log, door):
        assert conductor.poll() is None
        door.is_shut = False
        wait_for(lambda: conductor.poll() is not None, log)
    said = log.read_text()
    assert conductor.returncode == 1
    assert said.splitlines()[-1].startswith(
        f'{CONDUCTOR}: {tmp_path}/magnum-lite.conf: [database] connection is a database that lacks'
    )
    assert 'Traceback' not in said


def test_a_database_with_tables_is_worked_with_as_soon_as_it_is_there(tmp_path, server_database):
    with fixtures.fresh_conf():
        migrate.upgrade(fixtures.make_conf(tmp_path, connection=server_database))
    with started(tmp_path, server_database) as (conductor, log, door):
        door.is_shut = False
        wait_for(lambda: 'has drivers' in log.read_text(), log)
        assert conductor.poll() is None
