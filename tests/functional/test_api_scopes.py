"""Every endpoint, asked with tokens of every scope under every kind of policy: nobody sees or
changes what another project has."""

import json

import pytest
import sqlalchemy as sa

from magnum_lite import policy
from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.context import AUTH, development_plugin
from magnum_lite.db import store
from magnum_lite.db.tables import METADATA
from magnum_lite.objects import Cluster, NodeGroup, Quota
from tests import fixtures
from tests.personas import TABLE, filled

# As keystonemiddleware tells of a token; the project of the cluster is red.
USUAL = 'member,reader'
TOKENS = {
    'unscoped': {'USER_ID': 'una'},
    'unscoped with roles': {'USER_ID': 'una', 'ROLES': USUAL},
    'domain': {'USER_ID': 'dora', 'DOMAIN_ID': 'default', 'ROLES': USUAL},
    'domain admin': {'USER_ID': 'dora', 'DOMAIN_ID': 'default', 'ROLES': f'admin,{USUAL}'},
    'system': {'USER_ID': 'sid', 'ROLES': USUAL},
    'system admin': {'USER_ID': 'sid', 'ROLES': f'admin,{USUAL}'},
    'other project': {'USER_ID': 'bob', 'PROJECT_ID': 'green', 'ROLES': USUAL},
    'other project, no role': {'USER_ID': 'bob', 'PROJECT_ID': 'green'},
    'owner': {'USER_ID': 'alice', 'PROJECT_ID': 'red', 'ROLES': USUAL},
}
PROJECTLESS = [name for name, told in TOKENS.items() if 'PROJECT_ID' not in told]
# What a file may open to everybody.
OPEN = {rule: '@' for rule in policy.OF_PROJECTS} | {'quota:get_all': '@'}
SETTINGS = {
    'new defaults': ({'enforce_new_defaults': True, 'enforce_scope': True}, {}),
    'old defaults': ({'enforce_new_defaults': False, 'enforce_scope': True}, {}),
    'old defaults without scopes': ({'enforce_new_defaults': False, 'enforce_scope': False}, {}),
    'rules open to everybody': ({'enforce_new_defaults': False, 'enforce_scope': False}, OPEN),
}
# oslo.policy warns of old defaults where an operator keeps them.
pytestmark = pytest.mark.filterwarnings('ignore:Policy ')


class Tokens:
    """In place of the identity middleware: the token's text is a name of ``TOKENS``."""

    def __init__(self, application, conf):
        self._application, self._conf = application, conf

    def __call__(self, environ, start_response):
        name = environ.get('HTTP_X_AUTH_TOKEN')
        environ['HTTP_X_IDENTITY_STATUS'] = 'Confirmed'
        environ[AUTH] = development_plugin(self._conf, name, 'red', [])
        environ |= {f'HTTP_X_{key}': text for key, text in TOKENS[name].items()}
        if name.startswith('system'):
            environ['HTTP_OPENSTACK_SYSTEM_SCOPE'] = 'all'
        return self._application(environ, start_response)


@pytest.fixture(scope='module', params=SETTINGS)
def api(request, tmp_path_factory):
    """The service with those options and rules."""
    options, rules = SETTINGS[request.param]
    folder = tmp_path_factory.mktemp('scopes')
    (folder / 'policy.yaml').write_text(json.dumps(rules))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('magnum_lite.api.middleware.DevelopmentIdentity', Tokens)
        with fixtures.service(fixtures.make_conf(folder, oslo_policy=options)) as running:
            yield running
    fixtures.forget_conf()


@pytest.fixture(scope='module')
def names(api):
    """What the paths and bodies of the table name: all of it is of the project red."""
    template = api.ok(
        'POST',
        '/v1/clustertemplates',
        {
            'name': 'small',
            'coe': 'kubernetes',
            'image_id': 'debian-13',
            'flavor_id': 'm1.small',
            'master_flavor_id': 'm1.small',
        },
        token='owner',
    )['uuid']
    cluster = api.ok(
        'POST', '/v1/clusters', {'name': 'c1', 'cluster_template_id': template}, token='owner'
    )['uuid']
    api.settle(cluster)
    api.db.write(store.insert, Quota.new(project_id='red', hard_limit=7))
    operations = api.ok('GET', f'/v1/clusters/{cluster}/operations', token='owner')
    return {
        'template': template,
        'cluster': cluster,
        'nodegroup': 'default-worker',
        'operation': operations['operations'][0]['uuid'],
        'driver': 'kubernetes',
        'federation': 'none',
        'project': 'red',
        'resource': 'Cluster',
    }


def rows_of_projects(api):
    """All rows that tell of somebody's project."""
    with api.db.read() as connection:
        return {
            table.name: connection.execute(sa.select(table)).all()
            for table in METADATA.sorted_tables
            if table.name not in ('drivers', 'services')
        }


def ask(api, endpoint, names, token):
    """The answer of an endpoint."""
    path = endpoint.path if endpoint.path in ('/', '/v1') else f'/v1{endpoint.path}'
    body = TABLE[endpoint.method, endpoint.path].body
    return api.call(endpoint.method, filled(path, names), filled(body, names), token=token)


def test_a_token_without_a_project_reaches_nothing_of_projects(api, names):
    before, wrong = rows_of_projects(api), []
    for endpoint in ENDPOINTS:
        for token in PROJECTLESS if endpoint.rule in policy.OF_PROJECTS else ():
            answer = ask(api, endpoint, names, token)
            if answer.status_int != 403:
                wrong.append((token, endpoint.method, endpoint.path, answer.status))
    assert wrong == []
    assert rows_of_projects(api) == before


def test_every_rule_that_needs_no_project_is_for_operators():
    rules = {endpoint.rule for endpoint in ENDPOINTS if endpoint.rule}
    assert rules - policy.OF_PROJECTS == {
        'magnum-service:get_all',
        'quota:get_all',
        'quota:create',
        'quota:update',
        'quota:delete',
    }


def test_a_token_of_another_project_finds_nothing(api, names):
    seen = []
    for endpoint in ENDPOINTS:
        for token in ('other project', 'other project, no role'):
            answer = ask(api, endpoint, names, token)
            told = answer.text
            if answer.status_int >= 400:  # a refusal repeats what was asked for
                told = told.replace(names['cluster'], '').replace(names['template'], '')
            if any(
                word in told
                for word in (
                    names['cluster'],
                    names['template'],
                    names['operation'],
                    '"red"',
                    'alice',
                )
            ):
                seen.append((token, endpoint.method, endpoint.path, answer.text))
    assert seen == []
    with api.db.read() as connection:
        found = [
            *store.rows(connection, Cluster, project_id='red'),
            *store.rows(connection, NodeGroup, project_id='red'),
        ]
    assert [row.status for row in found] == ['CREATE_COMPLETE'] * 3


def test_only_administrators_see_the_quotas_and_the_sums_of_all(api, names):
    for token in TOKENS:
        for path in (
            '/v1/quotas',
            '/v1/quotas?all_tenants=true',
            '/v1/stats',
            '/v1/stats?project_id=red',
            '/v1/quotas/red/Cluster',
        ):
            answer = api.call('GET', path, token=token)
            if token == 'owner' or token.endswith('admin') and 'all_tenants' in path:
                continue
            assert answer.status_int == 403 or answer.json in (
                {'quotas': []},
                {'clusters': 0, 'nodes': 0},
            ), (token, path, answer.text)


def test_the_owner_finds_the_cluster_under_every_policy(api, names):
    shown = api.ok('GET', '/v1/clusters', token='owner')['clusters']
    assert [cluster['uuid'] for cluster in shown] == [names['cluster']]
    assert api.ok('GET', '/v1/stats', token='owner') == {'clusters': 1, 'nodes': 2}
