"""What PostgreSQL says of a mistake in the configuration: psycopg has no codes for it."""

import contextlib
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from magnum_lite_dev.rig.lack import lack
from magnum_lite_dev.state import free_port
from tests.functional.programs import CONDUCTOR, MANAGE, PROGRAMS, STATUS, run, written

pytestmark = pytest.mark.postgresql
START_S = 120


@pytest.fixture(scope='module')
def server():
    """host:port of a PostgreSQL that asks for passwords; magnum has "right-one".

    One of its own, since that of the tests may trust everybody. A machine that only reaches one
    elsewhere cannot make it: the tests skip there, and fail in CI.
    """
    found = sorted(Path('/usr/lib/postgresql').glob('*/bin/initdb'))
    if not found:
        lack('no program initdb in /usr/lib/postgresql')
    with tempfile.TemporaryDirectory() as name:  # the folders of pytest are only for its user
        with running(Path(name), found[-1].parent) as where:
            yield where


@contextlib.contextmanager
def running(folder, programs):
    """host:port of that server, while it runs."""
    port, user = free_port(), []
    (folder / 'password').write_text('right-one')
    if os.geteuid() == 0:  # as which no PostgreSQL runs
        user = ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups']
        subprocess.run(['chown', '-R', 'postgres', folder], check=True, timeout=START_S)

    def postgres(program, *words):
        subprocess.run(
            [*user, programs / program, '-D', folder / 'data', *words],
            check=True,
            timeout=START_S,
            cwd='/',
            stdout=subprocess.DEVNULL,
        )

    postgres(
        'initdb',
        '-U',
        'magnum',
        '--pwfile',
        folder / 'password',
        '--no-sync',
        '--auth=scram-sha-256',
    )
    postgres(
        'pg_ctl',
        '-w',
        '-l',
        folder / 'log',
        'start',
        '-o',
        f'-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off',
    )
    try:
        yield f'127.0.0.1:{port}'
    finally:
        postgres('pg_ctl', '-m', 'immediate', 'stop')


@pytest.mark.parametrize(
    ('place', 'said'),
    [
        ('magnum:wrong-one@{}/postgres', 'password authentication failed for user "magnum"'),
        ('magnum@{}/postgres', 'no password supplied'),
        ('nobody-here:wrong-one@{}/postgres', 'password authentication failed'),
        ('magnum:right-one@{}/no-such', 'database "no-such" does not exist'),
        ('magnum:right-one@db.invalid/magnum', r"failed to resolve host 'db\.invalid'"),
    ],
)
def test_the_conductor_ends_and_says_what_postgresql_refused(tmp_path, server, place, said):
    path = written(
        tmp_path, database={'connection': f'postgresql+psycopg://{place.format(server)}'}
    )
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(
        rf'{CONDUCTOR}: {path}: \[database\] connection is refused: .*{said}.*',
        ended.stderr.strip(),
    ), ended.stderr
    assert '-one' not in ended.stderr


@pytest.mark.parametrize(
    ('program', 'status'), [((MANAGE, 'db', 'current'), 1), ((STATUS, 'upgrade', 'check'), 2)]
)
def test_the_other_programs_do_so_too(tmp_path, server, program, status):
    path = written(
        tmp_path,
        database={'connection': f'postgresql+psycopg://magnum:wrong-one@{server}/postgres'},
    )
    ended = run(program[0], '--config-file', path, *program[1:], folder=tmp_path)
    told = re.sub(r'[\s|]+', ' ', ended.stdout + ended.stderr)
    assert ended.returncode == status
    assert '[database] connection is refused: ' in told and 'Traceback' not in told
    assert 'password authentication failed' in told and 'wrong-one' not in told


def test_the_conductor_waits_for_a_server_that_does_not_answer_yet(tmp_path):
    path = written(
        tmp_path,
        database={
            'connection': f'postgresql+psycopg://magnum:right@127.0.0.1:{free_port()}/magnum',
            'retry_interval': 1,
        },
    )
    log = tmp_path / 'log'
    with (
        log.open('w') as output,
        subprocess.Popen(
            [PROGRAMS / CONDUCTOR, '--config-file', path],
            stdout=output,
            stderr=output,
            cwd=tmp_path,
        ) as process,
    ):
        try:
            until = time.monotonic() + 120
            while log.read_text().count('does not answer and is tried again') < 4:
                assert time.monotonic() < until and process.poll() is None, log.read_text()
                time.sleep(0.2)
        finally:
            process.terminate()
    assert 'Traceback' not in log.read_text()
