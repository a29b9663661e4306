"""Callers that Keystone vouches for: keystonemiddleware against a small Keystone over HTTP."""

import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from keystoneauth1 import loading

from tests import fixtures

DOMAIN = {'id': 'default', 'name': 'Default'}
SYSTEM = 'system:all'


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log_message(self, *arguments):
        """Nothing."""


def token(text, catalog):
    """The document of a token ``user:project:role,role``; ``system:all`` is system-scoped."""
    user, project, *roles = text.split(':')
    found = {
        'methods': ['password'], 'issued_at': '2020-01-01T00:00:00.000000Z',
        'expires_at': '2999-01-01T00:00:00.000000Z', 'audit_ids': ['x'],
        'user': {'id': user, 'name': user, 'domain': DOMAIN},
        'roles': [{'id': role, 'name': role} for role in (roles or ['admin'])[0].split(',')],
        'catalog': [{'id': kind, 'type': kind, 'name': kind, 'endpoints': [
            {'id': kind, 'interface': 'internal', 'region': 'RegionOne', 'region_id': 'RegionOne',
             'url': url % {'project_id': project}}]} for kind, url in catalog.items()]}
    scope = {'system': {'all': True}} if text == SYSTEM else {
        'project': {'id': project, 'name': project, 'domain': DOMAIN}}
    return {'token': found | scope}


@pytest.fixture
def keystone(heat):
    """URL of a Keystone that knows every token but ``bad``, and the project red."""
    def application(environ, start_response):
        if environ['PATH_INFO'] == '/v3/auth/tokens':
            text = environ.get('HTTP_X_SUBJECT_TOKEN', 'service:service:admin')
            made = environ['REQUEST_METHOD'] == 'POST'
            status = '404 Not Found' if text == 'bad' else '201 Created' if made else '200 OK'
            catalog = {**heat.catalog, 'identity': f'http://{environ["HTTP_HOST"]}/v3'}
            body = {'error': {'code': 404}} if text == 'bad' else token(text, catalog)
        elif environ['PATH_INFO'].startswith('/v3/projects/'):
            known = environ['PATH_INFO'] == '/v3/projects/red'
            status = '200 OK' if known else '404 Not Found'
            body = {'project': {'id': 'red', 'name': 'red'}} if known else {'error': {'code': 404}}
        else:
            status, body = '200 OK', {'version': {
                'id': 'v3.14', 'status': 'stable', 'links': [
                    {'rel': 'self', 'href': f'http://{environ["HTTP_HOST"]}/v3/'}]}}
        text = json.dumps(body).encode()
        start_response(status, [('Content-Type', 'application/json'), ('X-Subject-Token', 'x')])
        return [text]

    server = make_server('127.0.0.1', 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}/v3'
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def api(tmp_path, conf, keystone):
    """The service with Keystone in front."""
    account = {'auth_url': keystone, 'auth_type': 'password', 'username': 'magnum', 'password': 'x',
               'project_name': 'service', 'user_domain_id': 'default',
               'project_domain_id': 'default'}
    fixtures.make_conf(tmp_path, service_auth=account,
                       identity={'mode': 'keystone', 'delegation': 'service'},
                       keystone_authtoken={**account, 'www_authenticate_uri': keystone})
    with fixtures.service(conf) as running:
        yield running
    # Loading leaves mandatory options on the global configuration.
    conf.reset()
    for group in ('keystone_authtoken', 'service_auth'):
        conf.unregister_opts(loading.get_auth_plugin_conf_options('password'), group)


def test_a_caller_is_whom_the_token_says(api, keystone):
    template = api.ok('POST', '/v1/clustertemplates', {
        'coe': 'kubernetes', 'image_id': 'debian-13', 'flavor_id': 'm1.small',
        'master_flavor_id': 'm1.small'}, token='alice:red:member,reader')
    assert (template['user_id'], template['project_id']) == ('alice', 'red')
    assert template['cluster_distro'] == 'debian'       # looked up with the token's own catalog
    cluster = api.ok('POST', '/v1/clusters', {'cluster_template_id': template['uuid']},
                     token='alice:red:member,reader')['uuid']
    api.refused(404, 'GET', f'/v1/clusters/{cluster}', token='bob:green:member,reader')
    api.ok('GET', f'/v1/clusters/{cluster}', token='root:blue:admin')


def test_a_bad_token_is_told_where_to_get_a_good_one(api, keystone):
    for bad in ('bad', None):
        response = api.call('GET', '/v1/clusters', token=bad)
        assert response.status_int == 401
        assert response.headers['WWW-Authenticate'] == f'Keystone uri="{keystone}"'
        assert response.json['error']['title'] == 'Unauthorized'
    assert api.call('GET', '/v1', token=None).status_int == 200


def test_a_system_scoped_token_has_no_clusters(api):
    api.refused(403, 'GET', '/v1/clusters', token=SYSTEM)
    assert api.ok('GET', '/v1/mservices', token=SYSTEM) == {'mservices': []}


def test_only_a_project_that_exists_gets_a_quota(api):
    limit = {'hard_limit': 3}
    api.refused(403, 'POST', '/v1/quotas', {'project_id': 'gone', **limit},
                token='alice:red:member')
    for project in ('gone', '../users/red', 'red?x', 'r' * 255):
        error = api.refused(404, 'POST', '/v1/quotas', {'project_id': project, **limit},
                            token='root:blue:admin')
        assert error['title'].startswith('Project ')
    api.ok('POST', '/v1/quotas', {'project_id': 'red', **limit}, token='root:blue:admin')


def test_a_silent_keystone_vouches_for_a_project(api, conf):
    conf.register_opts(loading.get_auth_plugin_conf_options('password'), 'service_auth')
    conf.set_override('auth_url', 'http://127.0.0.1:9/v3', group='service_auth')
    api.ok('POST', '/v1/quotas', {'project_id': 'gone'}, token='root:blue:admin')
