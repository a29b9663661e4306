"""A mistake in the configuration: one line that names option and file, and no process stays."""

import re

import pytest

from magnum_lite import startup
from magnum_lite.exceptions import Misconfigured
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_dev.state import free_port
from tests import fixtures
from tests.functional.programs import CONDUCTOR, DEV, MANAGE, STATUS, ours, run, start, written

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
    'long looks': ({'health': {'interval_s': 14}}, r'\[health\] timeout_s: at most a third'),
    'no network': (
        {'health': {'denied_networks': '10.0.0.1/8'}},
        r'\[health\] denied_networks is not valid: 10.0.0.1/8 has host bits',
    ),
}


@pytest.mark.parametrize(('groups', 'said'), MISTAKES.values(), ids=MISTAKES)
def test_the_conductor_ends_and_says_why(tmp_path, groups, said):
    path = written(tmp_path, **groups)
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(rf'{CONDUCTOR}: {path}: {said}.*', ended.stderr.strip()), ended.stderr
    assert 'secret' not in ended.stderr.replace('[secrets]', '').replace('secret key', '')


@pytest.mark.parametrize(
    ('group', 'name', 'url', 'password'),
    [
        ('database', 'connection', 'mysql+pymysql://ann:{}@127.0.0.1:9/x', 'hid@den:word'),
        ('database', 'connection', 'mysql+pymysql://ann:{}@127.0.0.1:9/x', 'hid@den'),
        ('database', 'connection', 'postgresql+psycopg://ann:{}@db.invalid/x', 'hid@den'),
        ('DEFAULT', 'transport_url', 'rabbit://ann:{}@127.0.0.1:9/', 'hid/den'),
        ('DEFAULT', 'transport_url', 'rabbit://ann:{}@127.0.0.1:9/', 'hid,den'),
        ('DEFAULT', 'transport_url', 'rabbit://ann:{}@127.0.0.1:9/', 'hid#den'),
        ('DEFAULT', 'transport_url', 'rabbit://ann:{}@127.0.0.1:9/', 'hid\u2100den'),
    ],
)
def test_no_part_of_a_password_is_told_that_breaks_its_url(
    tmp_path, caplog, group, name, url, password
):
    path = written(tmp_path, **{group: {name: url.format(password)}})
    with fixtures.fresh_conf(), pytest.raises(Misconfigured) as refused:
        startup.check(startup.load(['--config-file', str(path)], prog='test'))
    text = str(refused.value).removeprefix(f'{path}: ')
    assert re.match(rf'\[{group}\] {name} is no URL .* write ', text)
    assert not re.search('hid|den|word', text.replace('password', '') + caplog.text)


@pytest.mark.parametrize(
    ('text', 'mode', 'said'),
    [
        (None, 0, 'is missing'),
        ('', 0o600, 'is empty'),
        ('no key', 0o600, 'has no key in line 1'),
        (new_key(), 0o644, 'has mode 0644'),
    ],
    ids=['missing', 'empty', 'no key', 'readable by all'],
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


@pytest.mark.parametrize('verb', ['status', 'reseal', 'retire', 'add', 'use 0'])
def test_commands_about_keys_look_at_the_file_first(tmp_path, verb):
    path = written(tmp_path)
    keys = tmp_path / 'keys'
    keys.write_text('')
    ended = run(MANAGE, '--config-file', path, 'secret', *verb.split(), folder=tmp_path)
    assert ended.returncode == 1 and len(ended.stderr.splitlines()) == 1, ended.stderr
    assert ended.stderr.startswith(f'{MANAGE}: {path}: [secrets] key_file {keys} is empty')


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


@pytest.mark.rabbitmq
@pytest.mark.parametrize(
    ('place', 'said'),
    [('nobody-here:wrong-one@{}/', 'ACCESS_REFUSED'), ('{}/no-such-vhost', 'NOT_ALLOWED')],
)
@pytest.mark.parametrize(
    'option', ['[DEFAULT] transport_url', '[oslo_messaging_notifications] transport_url']
)
def test_a_broker_that_lets_nobody_in_is_one_line(tmp_path, rabbitmq_url, option, place, said):
    where = rabbitmq_url.removeprefix('rabbit://')
    url = 'rabbit://' + place.format(where.split('@')[-1] if '@' in place else where)
    path = written(tmp_path, **{option[1:].partition(']')[0]: {'transport_url': url}})
    ended = run(CONDUCTOR, '--config-file', path, folder=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(
        rf'{CONDUCTOR}: {path}: {re.escape(option)} is refused by \S+:\d+: '
        rf'.*{said}.*',
        ended.stderr.strip(),
    ), ended.stderr
    assert 'wrong-one' not in ended.stderr


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
    run(MANAGE, '--config-file', path, 'db', 'upgrade', folder=tmp_path)
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


EMBEDDED = ('python', '-m', 'magnum_lite_dev.service')


@pytest.mark.parametrize(
    ('program', 'name'),
    [
        *(((program,), program) for program in (CONDUCTOR, MANAGE, STATUS, DEV)),
        (EMBEDDED, 'magnum-lite-dev-service'),
    ],
)
def test_every_program_says_its_version(tmp_path, program, name):
    ended = start(*program, '--version', folder=tmp_path)  # warnings at the import too
    assert ended.returncode == 0 and not ended.stderr
    assert re.fullmatch(rf'{name} \d+\.\d+\.\d+\S*', ended.stdout.strip())


@pytest.mark.parametrize(
    ('program', 'name', 'status'),
    [
        ((CONDUCTOR,), CONDUCTOR, 1),
        ((MANAGE, 'db', 'current'), MANAGE, 1),
        ((STATUS, 'upgrade', 'check'), STATUS, 2),
        (EMBEDDED, 'magnum-lite-dev-service', 1),
    ],
)
@pytest.mark.parametrize(('groups', 'said'), [MISTAKES['no number'], MISTAKES['no pair']])
def test_every_program_says_which_value_is_none(tmp_path, program, name, status, groups, said):
    path = written(tmp_path, **groups)
    first = 3 if program == EMBEDDED else 1
    ended = run(*program[:first], '--config-file', path, *program[first:], folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (status, '')
    assert re.fullmatch(rf'{name}: {path}: {said}.*', ended.stderr.strip()), ended.stderr
