"""A mistake in the configuration: one line that names option and file, and no process stays."""

import contextlib
import os
import re
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.state import free_port

PROGRAMS = Path(sys.executable).parent
CONDUCTOR, MANAGE, STATUS, DEV = (
    f'magnum-lite-{name}' for name in ('conductor', 'manage', 'status', 'dev')
)
RIGHT = {
    'DEFAULT': {'transport_url': 'fake://'},
    'database': {'connection': 'sqlite:///{folder}/m.sqlite'},
    'identity': {'mode': 'development'},
    'secrets': {'key_file': '{folder}/keys'},
}


def written(folder, **groups):
    """The path of a configuration that is right but for some values; None leaves one out."""
    path = folder / 'magnum-lite.conf'
    keyfile.put_first(str(folder / 'keys'), new_key())
    text = ''
    for group in RIGHT | groups:
        values = RIGHT.get(group, {}) | groups.get(group, {})
        text += f'[{group}]\n' + ''.join(
            f'{name} = {value}\n' for name, value in values.items() if value is not None
        )
    path.write_text(text.replace('{folder}', str(folder)))
    return path


def run(program, *words, folder, **environment):
    """How it ended, in a minute at most: a loop of starts does not."""
    return subprocess.run(
        [PROGRAMS / program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env=os.environ | {'HOME': str(folder)} | environment,
    )


def ours(ended):
    """The lines on standard error but for warnings of libraries."""
    return [line for line in ended.stderr.splitlines() if line.startswith('magnum-lite-')]


MISTAKES = {
    'no connection': ({'database': {'connection': None}}, r'\[database\] connection is not set'),
    'no URL': ({'database': {'connection': 'nonsense'}}, r'\[database\] connection is no URL'),
    'unknown dialect': (
        {'database': {'connection': 'mongo://a/b'}},
        r'\[database\] connection .*mongo',
    ),
    'nobody has that host': (
        {'database': {'connection': 'mysql+pymysql://a@db.invalid/b'}},
        r'\[database\] connection is refused: .*db\.invalid',
    ),
    'no such broker': (
        {'DEFAULT': {'transport_url': 'rabbit://a:secret@mq.invalid/'}},
        r'\[DEFAULT\] transport_url names a host that nobody knows: mq\.invalid',
    ),
    'no kind of broker': (
        {'DEFAULT': {'transport_url': 'rabit://a:secret@127.0.0.1/'}},
        r'\[DEFAULT\] transport_url .*rabit',
    ),
    'no key file set': (
        {'secrets': {'key_file': None}},
        r'\[secrets\] key_file is not set\. Set it to a path',
    ),
    'no number': ({'conductor': {'workers': 'many'}}, r'\[conductor\] workers .*many'),
    'no pair': ({'conductor': {'lease_s': 10}}, r'\[conductor\] heartbeat_s: '),
}


@pytest.mark.parametrize(('groups', 'said'), MISTAKES.values(), ids=MISTAKES)
def test_the_conductor_ends_and_says_why(tmp_path, groups, said):
    path = written(tmp_path, **groups)
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(rf'{CONDUCTOR}: {path}: {said}.*', ended.stderr.strip()), ended.stderr
    assert 'secret' not in ended.stderr.replace('[secrets]', '').replace('secret key', '')


@pytest.mark.parametrize(
    ('text', 'mode', 'said'),
    [
        (None, 0, 'is missing'),
        ('', 0o600, 'is empty'),
        ('no key', 0o600, 'has no key in line 1'),
        (new_key(), 0o644, 'has mode 0644'),
    ],
)
def test_the_key_file_is_looked_at_first(tmp_path, text, mode, said):
    path = written(tmp_path)
    keys = tmp_path / 'keys'
    keys.unlink()
    if text is not None:
        keys.write_text(text)
        keys.chmod(mode)
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f'{CONDUCTOR}: {path}: [secrets] key_file {keys} {said}')
    assert len(ended.stderr.splitlines()) == 1


def test_the_advice_about_keys_can_be_followed(tmp_path):
    path = written(tmp_path, secrets={'key_file': None})
    ended = run(MANAGE, '--config-file', path, 'secret', 'key', folder=tmp_path)
    assert ended.returncode == 1 and 'Set it to a path' in ended.stderr
    path = written(tmp_path)
    (tmp_path / 'keys').unlink()
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    advice = re.search(r'run: (magnum-lite-manage) (.*)', ended.stderr)
    assert (
        run(advice[1], '--config-file', path, *advice[2].split(), folder=tmp_path).returncode == 0
    )
    assert keyfile.read(str(tmp_path / 'keys')).keys


@pytest.mark.mariadb
@pytest.mark.parametrize('program', [CONDUCTOR, MANAGE, STATUS])
def test_a_wrong_password_is_one_line(tmp_path, mariadb_url, program):
    server = mariadb_url.split('@')[-1].rstrip('/')
    path = written(
        tmp_path, database={'connection': f'mysql+pymysql://nobody-here:wrong-one@{server}/magnum'}
    )
    words = {MANAGE: ['db', 'current'], STATUS: ['upgrade', 'check'], CONDUCTOR: []}[program]
    ended = run(program, '--config-file', path, *words, folder=tmp_path)
    if program == STATUS:
        assert ended.returncode == 2
        text = re.sub(r'[\s|]+', ' ', ended.stdout)
        assert '[database] connection is refused: Access denied' in text
    else:
        assert ended.returncode == 1
        assert ours(ended) == ended.stderr.splitlines()
        assert re.fullmatch(
            rf'{program}: {path}: \[database\] connection is refused: '
            r"Access denied for user 'nobody-here'.*",
            ended.stderr.strip(),
        )
    assert 'wrong-one' not in ended.stderr + ended.stdout


@pytest.mark.parametrize('words', [[], ['--config-file', '/nowhere/m.conf']])
def test_no_configuration_file_is_said(tmp_path, words):
    ended = run(CONDUCTOR, *words, folder=tmp_path)
    assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f'{CONDUCTOR}: ')
    assert (
        '--config-file' in ended.stderr and 'm.conf' in ended.stderr
        if words
        else 'there is no configuration file' in ended.stderr
    )


@pytest.mark.parametrize(
    ('groups', 'said'),
    [
        MISTAKES['no connection'],
        MISTAKES['no number'],
        MISTAKES['no such broker'],
        ({'secrets': {'key_file': '{folder}/other'}}, r'\[secrets\] key_file \S+/other is missing'),
        ({'api': {'bind_host': '192.0.2.1'}}, r'\[identity\] mode = development needs'),
    ],
)
def test_the_api_under_gunicorn_ends_too(tmp_path, groups, said):
    path = written(tmp_path, **groups)
    ended = run(
        'gunicorn',
        '--bind',
        f'127.0.0.1:{free_port()}',
        '--no-control-socket',
        'magnum_lite.api.wsgi:application',
        folder=tmp_path,
        OS_MAGNUM_LITE_CONFIG_FILES=str(path),
    )
    assert ended.returncode == 3  # gunicorn's own, for a worker that does not begin
    assert 'Traceback' not in ended.stderr
    found = [line for line in ended.stderr.splitlines() if line.startswith('magnum-lite-api: ')]
    assert len(found) == 1 and re.match(rf'magnum-lite-api: {path}: {said}', found[0]), found


@pytest.mark.parametrize('program', [CONDUCTOR, MANAGE, STATUS, DEV])
def test_every_program_says_its_version(tmp_path, program):
    ended = run(program, '--version', folder=tmp_path)
    assert ended.returncode == 0
    assert re.fullmatch(rf'{program} \d+\.\d+\.\d+\S*', ended.stdout.strip())


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
