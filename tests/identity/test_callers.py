"""Callers that Keystone vouches for, and what the service user asks it for them."""

import pytest

from tests.personas import TEMPLATE

pytestmark = pytest.mark.keystone
LIMIT = {'hard_limit': 3}


@pytest.fixture
def api(make_api):
    """The service in this process; nobody works at its operations."""
    return make_api()


@pytest.fixture
def admin(token):
    """Token of an administrator."""
    return token('admin', 'admin', 'admin')


def test_a_caller_is_whom_the_token_says(api, keystone, token, project, admin):
    owner = token(f'owner-{project}', project, 'member')
    other = token(f'stranger-{project}', f'{project}-other', 'member')
    template = api.ok('POST', '/v1/clustertemplates', TEMPLATE, token=owner)
    assert (template['user_id'], template['project_id']) == (
        keystone.user(f'owner-{project}'),
        keystone.project(project),
    )
    assert template['cluster_distro'] == 'debian'  # looked up with the token's own catalog
    cluster = api.ok(
        'POST', '/v1/clusters', {'cluster_template_id': template['uuid']}, token=owner
    )['uuid']
    api.refused(404, 'GET', f'/v1/clusters/{cluster}', token=other)
    api.ok('GET', f'/v1/clusters/{cluster}', token=admin)


def test_a_bad_token_is_told_where_to_get_a_good_one(api, keystone):
    for bad in ('bad', None):
        response = api.call('GET', '/v1/clusters', token=bad)
        assert response.status_int == 401
        assert response.headers['WWW-Authenticate'] == f'Keystone uri="{keystone.url}"'
        assert response.json['error']['title'] == 'Unauthorized'
    assert api.call('GET', '/v1', token=None).status_int == 200


def test_only_a_project_that_exists_gets_a_quota(api, keystone, token, project, admin):
    known = keystone.project(project)
    api.refused(
        403,
        'POST',
        '/v1/quotas',
        {'project_id': known, **LIMIT},
        token=token(f'member-{project}', project, 'member'),
    )
    for name in ('gone', f'../users/{known}', f'{known}?x', 'r' * 255):
        error = api.refused(404, 'POST', '/v1/quotas', {'project_id': name, **LIMIT}, token=admin)
        assert error['title'].startswith('Project ')
    api.ok('POST', '/v1/quotas', {'project_id': known, **LIMIT}, token=admin)


def test_a_silent_keystone_vouches_for_a_project(make_api, admin):
    api = make_api(service_auth={'auth_url': 'http://127.0.0.1:9/v3'})
    api.ok('POST', '/v1/quotas', {'project_id': 'gone'}, token=admin)


def test_without_trusts_the_service_user_needs_a_role(make_api, keystone, token, project):
    api = make_api(identity={'delegation': 'service'})
    owner = token(f'owner-{project}', project, 'member')
    template = api.ok('POST', '/v1/clustertemplates', TEMPLATE, token=owner)['uuid']
    wanted = {'cluster_template_id': template}
    error = api.refused(403, 'POST', '/v1/clusters', wanted, token=owner)
    assert (
        f'role add --user {keystone.user("magnum")} --project {keystone.project(project)}'
        in error['detail']
    )
    assert api.ok('GET', '/v1/clusters', token=owner) == {'clusters': []}
    keystone.user('magnum', project, 'member')
    api.ok('POST', '/v1/clusters', wanted, token=owner)
    assert keystone.admin.trusts.list(trustor_user=keystone.user(f'owner-{project}')) == []
