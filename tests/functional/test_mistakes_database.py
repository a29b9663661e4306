"""A database that lacks tables is told of once; one that is away is waited for."""

import contextlib
import os
import re
import sqlite3
import subprocess
import time
from http.client import HTTPConnection

import pytest

from magnum_lite import startup
from magnum_lite_dev.state import free_port
from tests import fixtures
from tests.functional.programs import CONDUCTOR, MANAGE, PROGRAMS, STATUS, run, written


def change(folder, *statements):
    """Carry out statements of SQL in the database of ``written``."""
    with contextlib.closing(sqlite3.connect(folder / 'm.sqlite')) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ('is_there', 'revision'),
    [(False, '001'), (True, '009')],
    ids=['no tables', 'the tables of an older release'],
)
def test_tables_that_are_missing_are_told_once(tmp_path, is_there, revision):
    path = written(tmp_path)
    if is_there:
        assert run(MANAGE, '--config-file', path, 'db', 'upgrade', folder=tmp_path).returncode == 0
        change(tmp_path, "UPDATE alembic_version SET version_num = '008'")
    said = (
        rf'{path}: \[database\] connection is a database that lacks migrations {revision}\b.*'
        ', run: magnum-lite-manage db upgrade'
    )
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(f'{CONDUCTOR}: {said}', ended.stderr.strip()), ended.stderr
    ended = run(
        'gunicorn',
        '--bind',
        f'127.0.0.1:{free_port()}',
        '--no-control-socket',
        'magnum_lite.api.wsgi:application',
        folder=tmp_path,
        OS_MAGNUM_LITE_CONFIG_FILES=str(path),
    )
    assert ended.returncode == 3 and 'Traceback' not in ended.stderr
    assert (
        re.findall('^magnum-lite-api: .*', ended.stderr, re.MULTILINE)
        == [
            line
            for line in ended.stderr.splitlines()
            if re.fullmatch(f'magnum-lite-api: {said}', line)
        ]
        != []
    )


@pytest.mark.parametrize(
    'words', ['driver list', 'driver sync', 'service list', 'secret status', 'db purge --days 9']
)
def test_commands_say_so_too(tmp_path, words):
    path = written(tmp_path)
    ended = run(MANAGE, '--config-file', path, *words.split(), folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(
        rf'{MANAGE}: {path}: \[database\] connection is a database that lacks .*'
        ', run: magnum-lite-manage db upgrade',
        ended.stderr.strip(),
    ), ended.stderr


@pytest.mark.parametrize('words', ['db upgrade', 'db current', 'service list', 'secret status'])
def test_commands_say_in_one_line_that_the_database_is_away(tmp_path, words):
    ended = run(MANAGE, '--config-file', _away(tmp_path), *words.split(), folder=tmp_path)
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if 'oslo_db.sqlalchemy.engines' not in line]
    assert len(said) == 1, ended.stderr
    assert re.fullmatch(
        rf'{MANAGE}: .*magnum-lite\.conf: \[database\] connection does not answer: '
        "Can't connect to .*",
        said[0],
    ), said


def test_the_check_before_an_upgrade_names_the_database_that_is_away(tmp_path):
    ended = run(STATUS, '--config-file', _away(tmp_path), 'upgrade', 'check', folder=tmp_path)
    assert ended.returncode == 2
    shown = re.sub(r'[\s|]+', ' ', ended.stdout)
    assert "[database] connection does not answer: Can't connect to" in shown, ended.stdout


def _away(folder):
    """A configuration of a database that nobody serves, and that is asked twice."""
    away = f'mysql+pymysql://magnum:right@127.0.0.1:{free_port()}/magnum'
    return written(folder, database={'connection': away, 'max_retries': 1, 'retry_interval': 1})


def test_the_tables_of_a_later_release_are_fine(tmp_path):
    path = written(tmp_path)
    upgrade = (MANAGE, '--config-file', path, 'db', 'upgrade')
    assert run(*upgrade, folder=tmp_path).returncode == 0
    change(tmp_path, "UPDATE alembic_version SET version_num = 'later'")
    ended = run(*upgrade, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, 'nothing to do\n'), ended.stderr
    ended = run(STATUS, '--config-file', path, 'upgrade', 'check', folder=tmp_path)
    assert ended.returncode == 1, ended.stdout  # a warning: nodes reach it without TLS
    with fixtures.fresh_conf():
        startup.check(startup.load([], prog=CONDUCTOR, config_files=[str(path)]))


def test_a_database_that_is_away_is_waited_for(tmp_path):
    away = f'mysql+pymysql://magnum:right@127.0.0.1:{free_port()}/magnum'
    path = written(tmp_path, database={'connection': away})
    port = free_port()
    commands = [
        [CONDUCTOR, '--config-file', path],
        [
            'gunicorn',
            '--bind',
            f'127.0.0.1:{port}',
            '--no-control-socket',
            'magnum_lite.api.wsgi:application',
        ],
    ]
    log = tmp_path / 'log'
    with contextlib.ExitStack() as stack:
        stderr = stack.enter_context(log.open('w'))
        running = []
        for name, *words in commands:
            running.append(
                subprocess.Popen(
                    [PROGRAMS / name, *words],
                    stdout=stderr,
                    stderr=stderr,
                    cwd=tmp_path,
                    env=os.environ | {'OS_MAGNUM_LITE_CONFIG_FILES': str(path)},
                )
            )
            stack.callback(running[-1].wait, 60)
            stack.callback(running[-1].terminate)
        until = time.monotonic() + 60
        while log.read_text().count('does not answer yet') < len(commands):
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        reply = _get(port, until)
        assert [process.poll() for process in running] == [None, None]
    assert reply == 503


def _get(port, until):
    """The status of a request, once somebody listens."""
    while True:
        with (
            contextlib.suppress(ConnectionError),
            contextlib.closing(HTTPConnection('127.0.0.1', port, timeout=30)) as connection,
        ):
            connection.request('GET', '/v1/clusters', headers={'X-Auth-Token': 'alice:red'})
            return connection.getresponse().status
        assert time.monotonic() < until
        time.sleep(0.2)
