"""Where nodes reach the API, as ``upgrade check`` and the start of the programs tell it."""

import re

import pytest

from magnum_lite import startup
from magnum_lite.cloud import address, identity
from magnum_lite.db import migrate, services
from magnum_lite.db.engine import Database
from tests import fixtures
from tests.functional.programs import STATUS, run, written

HERE = 'https://containers.example.org'


@pytest.mark.parametrize(
    ('groups', 'said'),
    [
        ({}, 'nodes fetch their keys at http://127.0.0.1:9511, which has no TLS'),
        ({'enrolment': {'enabled': False}}, 'enabled is false: readers of a project see'),
        ({'identity': {'mode': 'keystone'}}, 'is not known while the catalog is not'),
        ({'identity': {'mode': 'keystone'}, 'api': {'public_endpoint': HERE}}, None),
    ],
)
def test_upgrade_check_says_where_nodes_fetch_their_keys(tmp_path, groups, said):
    path = written(tmp_path, **groups)
    ended = run(STATUS, '--config-file', path, 'upgrade', 'check', folder=tmp_path)
    found = ' '.join(re.sub(r'[\s|]+', ' ', ended.stdout.partition('Enrolment')[2]).split())
    assert found.startswith(f'Result: {"Warning" if said else "Success"}'), ended.stdout
    assert not said or said in found


OLD_AND_NEW = ({'kubernetes': '1.0.0'}, {services.SERVICE: '1.1', 'kubernetes': '1.1.0'})


@pytest.mark.parametrize(
    ('groups', 'plugins', 'warned'),
    [
        ({}, OLD_AND_NEW, ['Secrets', 'Enrolment']),
        ({}, OLD_AND_NEW[1:], []),
        (
            {'secrets': {'key_file': '{folder}/keys', 'readable_by': '1.0'}},
            OLD_AND_NEW,
            ['Enrolment'],
        ),
        ({'enrolment': {'enabled': False}}, OLD_AND_NEW, ['Secrets']),
    ],
)
def test_upgrade_check_tells_of_conductors_that_cannot_go_on(tmp_path, groups, plugins, warned):
    conf = fixtures.make_conf(tmp_path)
    migrate.upgrade(conf)
    database = Database(conf)
    for number, of_host in enumerate(plugins):
        database.write(services.report, host=f'host-{number}', plugins=of_host)
    database.dispose()
    path = written(tmp_path, database={'connection': conf.database.connection}, **groups)
    fixtures.forget_conf()
    ended = run(STATUS, '--config-file', path, 'upgrade', 'check', folder=tmp_path)
    said = ' '.join(re.sub(r'[\s|]+', ' ', ended.stdout).split())
    found = re.findall(
        r'Check: (\w+) Result: Warning Details: conductors of release 1\.0, seen in '
        r'the last 180 s on host-0,',
        said,
    )
    assert found == warned, ended.stdout


@pytest.mark.parametrize(
    ('groups', 'url'),
    [
        ({'api': {'bind_host': '::1', 'port': 80}}, 'http://[::1]:80'),
        ({'catalog': {'container-infra': 'https://c/v1'}}, 'https://c'),
        ({'catalog': {'container-infra': 'https://c/v1'}, 'api': {'public_endpoint': HERE}}, HERE),
        (
            {'api': {'public_endpoint': HERE}, 'enrolment': {'public_url': 'https://d/'}},
            'https://d',
        ),
    ],
)
def test_the_first_who_says_an_address_is_believed(tmp_path, groups, url):
    conf = fixtures.make_conf(tmp_path, **groups)
    who = {'mode': 'none', 'user_id': 'u', 'project_id': 'p', 'roles': []}
    assert address.of_api(conf, identity.session(conf, who, timeout_s=1)) == url
    fixtures.forget_conf()


def test_secrets_in_user_data_are_told_of_at_the_start(tmp_path, caplog):
    conf = fixtures.make_conf(tmp_path)
    migrate.upgrade(conf)
    startup.check(conf)
    assert 'see the keys and tokens' not in caplog.text
    startup.check(fixtures.make_conf(tmp_path, enrolment={'enabled': False}))
    assert 'readers of a project see the keys and tokens of its clusters in Heat' in caplog.text
    fixtures.forget_conf()


def test_a_driver_is_asked_with_the_address_that_nodes_will_get(tmp_path):
    """Also where nobody's rights are there to read the catalog."""
    conf = fixtures.make_conf(tmp_path, api={'public_endpoint': f'{HERE}/v1/'})
    assert address.of_api(conf, None) == HERE
    conf = fixtures.make_conf(tmp_path)
    assert address.of_api(conf, None).startswith('https://')
    fixtures.forget_conf()
