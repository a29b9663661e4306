"""The API while what it needs is away: an answer that says so, soon."""

import time

import pytest

from magnum_lite.api.app import make_app
from magnum_lite.db import ledger
from tests import fixtures

SOON_S = 30


@pytest.fixture
def unanswered(tmp_path):
    """A function from the URL of a database to the answer of a list of clusters."""

    def ask(url):
        application = make_app(fixtures.make_conf(tmp_path, connection=url))
        began = time.monotonic()
        try:
            error = fixtures.Api(application).refused(503, 'GET', '/v1/clusters')
        finally:
            application.close()
        assert time.monotonic() - began < SOON_S
        return error

    yield ask
    fixtures.forget_conf()


@pytest.mark.parametrize(
    'url',
    [
        'mysql+pymysql://root@127.0.0.1:9/nothing',
        'postgresql+psycopg://root@127.0.0.1:9/nothing',
        'sqlite:////nonexistent/folder/m.sqlite',
    ],
)
def test_a_database_that_is_away_is_said_at_once(unanswered, url):
    assert 'The database does not answer' in unanswered(url)['detail']


@pytest.mark.mariadb
@pytest.mark.postgresql
def test_a_missing_database_is_said_at_once(unanswered, mariadb_url, postgresql_url):
    for url in (mariadb_url, postgresql_url):
        assert 'The database does not answer' in unanswered(f'{url}/none_such')['detail']


@pytest.mark.mariadb
def test_a_pool_without_a_free_connection_is_said(tmp_path, fresh_database, mariadb_url):
    with fresh_database(mariadb_url) as url:
        conf = fixtures.make_conf(
            tmp_path,
            connection=url,
            database={'max_pool_size': 1, 'max_overflow': 0, 'pool_timeout': 1},
        )
        with fixtures.service(conf, driver=False) as api:
            with api.db.read():
                error = api.refused(503, 'GET', '/v1/clusters')
            assert 'The database does not answer' in error['detail']
            api.ok('GET', '/v1/clusters')
    fixtures.forget_conf()


@pytest.mark.parametrize('accept', [None, '*/*', 'application/json', 'text/html', 'text/plain'])
def test_a_keystone_that_is_away_is_an_error_as_any_other(tmp_path, accept):
    silent = 'http://127.0.0.1:9/v3'
    conf = fixtures.make_conf(
        tmp_path,
        identity={'mode': 'keystone'},
        keystone_authtoken={
            'auth_type': 'password',
            'auth_url': silent,
            'www_authenticate_uri': silent,
            'username': 'magnum',
            'password': 'x',
            'project_name': 'service',
            'user_domain_id': 'default',
            'project_domain_id': 'default',
            'http_request_max_retries': 0,
        },
    )
    with fixtures.service(conf) as api:
        response = api.call('GET', '/v1/clusters', headers={'Accept': accept} if accept else {})
        unknown = api.call('GET', '/v1/clusters', token=None)
    fixtures.forget_conf()
    (error,) = response.json['errors']
    assert (response.status_int, response.content_type) == (503, 'application/json')
    assert error['detail'] == 'Keystone does not answer, try again later'
    assert error['request_id'] == response.headers['X-OpenStack-Request-ID']
    assert unknown.status_int == 401 and silent in unknown.headers['WWW-Authenticate']


def test_a_cloud_that_is_away_is_one_line_in_the_log_for_each_request(configured, caplog):
    with configured() as api:
        cluster = api.cluster(api.template())
        api.db.write(ledger.expect, cluster, ledger.PART, ['base'])
        caplog.clear()
        api.refused(
            503,
            'POST',
            '/v1/enrolments',
            {'cluster': cluster, 'server': cluster, 'proof': 'f' * 64},
            token=None,
        )
    (failed,) = (record for record in caplog.records if record.levelname == 'ERROR')
    assert (
        failed.getMessage()
        == 'Request failed: the cloud does not answer, try again later: Nova refused the connection'
        and not failed.exc_info
    )
