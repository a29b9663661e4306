"""Values that no program can use as they stand: one line that names the option and not its text."""

import re

import pytest
from keystoneauth1 import loading

from magnum_lite import startup
from magnum_lite.api.app import make_app
from magnum_lite.exceptions import Misconfigured
from tests import fixtures
from tests.functional.programs import CONDUCTOR, MANAGE, STATUS, run, written

VARIABLE = 'has a \\$ that names no option: write \\$\\$ for a \\$'
AUTH = {'auth_type': 'password', 'password': 'the$secret', 'auth_url': 'http://127.0.0.1:1/v3'}
# {what: (groups of the configuration, what is said)}
VALUES = {
    'a variable of no option': (
        {'database': {'connection': 'mysql+pymysql://a:the$secret@127.0.0.1:9/b'}},
        rf'\[database\] connection {VARIABLE}',
    ),
    'a variable of no group': (
        {'DEFAULT': {'transport_url': 'rabbit://a:the${secret.x}@127.0.0.1'}},
        rf'\[DEFAULT\] transport_url {VARIABLE}',
    ),
    'a variable of itself': (
        {'DEFAULT': {'transport_url': 'rabbit://a:$transport_url@127.0.0.1/'}},
        rf'\[DEFAULT\] transport_url {VARIABLE}',
    ),
    'a variable that logging reads': (
        {'DEFAULT': {'log_dir': '$secret'}},
        rf'\[DEFAULT\] log_dir {VARIABLE}',
    ),
    'a variable of itself that logging reads': (
        {'DEFAULT': {'log_file': 'secret-$log_file'}},
        rf'\[DEFAULT\] log_file {VARIABLE}',
    ),
    'a group that logging reads': (
        {'DEFAULT': {'debug': 'true', 'log_dir': '/$host/${secret.x}'}},
        rf'\[DEFAULT\] log_dir {VARIABLE}',
    ),
    'no directory of logs': (
        {'DEFAULT': {'log_dir': '/proc/none'}},
        r"\[DEFAULT\] log_dir, log_file: \[Errno 2\] No such file or directory: '/proc/none/.*'",
    ),
    'a variable in a list': (
        {'oslo_messaging_notifications': {'topics': 'notifications,the$secret'}},
        rf'\[oslo_messaging_notifications\] topics {VARIABLE}',
    ),
    'a variable in a password of the service': (
        {'service_auth': AUTH},
        rf'\[service_auth\] password {VARIABLE}',
    ),
    'a variable in a password of another section': (
        {'service_auth': {'auth_section': 'account'}, 'account': AUTH},
        rf'\[account\] password {VARIABLE}',
    ),
    'a password that cannot be sent': (
        {'database': {'connection': 'mysql+pymysql://a:secret\u20ac@127.0.0.1:9/b'}},
        r'\[database\] connection has a password that PyMySQL cannot send: it may have '
        'characters of Latin-1',
    ),
}


@pytest.mark.parametrize(('groups', 'said'), VALUES.values(), ids=VALUES)
def test_what_cannot_be_used_is_one_line_without_its_text(tmp_path, groups, said):
    path = written(tmp_path, **groups)
    with fixtures.fresh_conf(), pytest.raises(Misconfigured) as refused:
        startup.check(startup.load(['--config-file', str(path)], prog='test'))
    assert re.fullmatch(f'{path}: {said}', str(refused.value))
    assert 'secret' not in str(refused.value)


@pytest.mark.parametrize('program', [CONDUCTOR, MANAGE, STATUS])
@pytest.mark.parametrize('what', ['a variable of no option', 'a password that cannot be sent'])
def test_no_program_ends_in_a_traceback(tmp_path, program, what):
    path = written(tmp_path, **VALUES[what][0])
    words = {MANAGE: ['db', 'current'], STATUS: ['upgrade', 'check'], CONDUCTOR: []}[program]
    ended = run(program, '--config-file', path, *words, folder=tmp_path)
    told = re.sub(r'[\s|]+', ' ', ended.stdout + ended.stderr)
    assert ended.returncode == (2 if program == STATUS else 1)
    assert '[database] connection has a' in told and 'Traceback' not in told
    assert 'secret' not in told.replace('[secrets]', '')


def test_a_variable_in_the_password_of_the_middleware_is_a_mistake_too(tmp_path):
    path = written(tmp_path, identity={'mode': 'keystone'}, keystone_authtoken=AUTH)
    with fixtures.fresh_conf(), pytest.raises(Misconfigured, match=VARIABLE):
        make_app(startup.load(['--config-file', str(path)], prog='test'))


@pytest.mark.parametrize('text', ['the$$word', '\\$word', '$host', '$'])
def test_a_dollar_that_is_written_as_one_is_none(tmp_path, text):
    path = written(tmp_path, DEFAULT={'transport_url': f'rabbit://a:{text}@127.0.0.1:9/'})
    with fixtures.fresh_conf():
        startup.load(['--config-file', str(path)], prog='test')


def test_the_account_of_the_service_may_stand_in_another_section(tmp_path):
    path = written(
        tmp_path, service_auth={'auth_section': 'account'}, account=AUTH | {'password': 'word'}
    )
    with fixtures.fresh_conf():
        conf = startup.load(['--config-file', str(path)], prog='test')
        plugin = loading.load_auth_from_conf_options(conf, 'service_auth')
    assert (plugin.auth_url, plugin._password) == (AUTH['auth_url'], 'word')
