"""Tokens of a real Keystone: their scopes, what they may, and how often Keystone is asked."""

import json
import time

import pytest
import sqlalchemy as sa
from keystoneauth1 import session
from keystoneauth1.identity import v3

from magnum_lite.db import claims, operations, store
from magnum_lite.db.tables import ledger
from magnum_lite.delegation.revocation import revoke, revoke_strays
from magnum_lite.objects import Operation
from magnum_lite.objects.operation import RUN
from magnum_lite_dev.directory import PASSWORD
from tests.personas import ADMIN, MEMBER, NOBODY, OWNER, READER, STRANGER, TABLE, TEMPLATE, filled

pytestmark = pytest.mark.keystone


@pytest.fixture
def api(make_api):
    """The service in this process; nobody works at its operations."""
    return make_api()


@pytest.fixture
def owner(token, project):
    """Token of a member of the project."""
    return token(f'owner-{project}', project, 'member')


@pytest.fixture
def robot(keystone, owner, project):
    """Token of an application credential of the owner's."""
    of = keystone.session(f'owner-{project}', project)
    made = keystone.client(of).application_credentials.create(
        'robot', secret=PASSWORD, user=of.get_user_id()
    )
    return session.Session(
        v3.ApplicationCredential(
            keystone.url, application_credential_id=made.id, application_credential_secret=PASSWORD
        )
    ).get_token()


def make_template(api, owner):
    """Uuid of a new template."""
    return api.ok('POST', '/v1/clustertemplates', TEMPLATE, token=owner)['uuid']


def trusts(keystone, name):
    """The trusts by a user."""
    return keystone.admin.trusts.list(trustor_user=keystone.user(name))


def open_trusts(api):
    """How many trusts the ledger knows to exist."""
    query = sa.select(ledger).where(ledger.c.kind == 'trust', ledger.c.closed_at.is_(None))
    with api.db.read() as connection:
        return len(connection.execute(query).all())


def test_only_tokens_of_a_project_have_clusters(api, keystone, owner, project):
    keystone.admin.roles.grant(keystone.role('admin'), user=keystone.user('admin'), system='all')
    keystone.admin.roles.grant(
        keystone.role('admin'), user=keystone.user('admin'), domain='default'
    )
    for user, scope in (
        (f'owner-{project}', {'unscoped': True}),
        ('admin', {'unscoped': True}),
        ('admin', {'system_scope': 'all'}),
        ('admin', {'domain_id': 'default'}),
    ):
        found = keystone.session(user, **scope).get_token()
        for path in ('/v1/clusters', '/v1/clustertemplates'):
            api.refused(403, 'GET', path, token=found)
        api.refused(403, 'POST', '/v1/clustertemplates', TEMPLATE, token=found)
    assert api.call('GET', '/v1/clusters', token='gAAAAAB').status_int == 401


def test_personas_with_tokens_are_answered_as_the_table_says(api, keystone, token, owner, project):
    template = make_template(api, owner)
    cluster = api.ok('POST', '/v1/clusters', {'cluster_template_id': template}, token=owner)['uuid']
    api.settle(cluster)
    (operation,) = api.ok('GET', f'/v1/clusters/{cluster}/operations', token=owner)['operations']
    names = {
        'template': template,
        'cluster': cluster,
        'operation': operation['uuid'],
        'nodegroup': 'default-worker',
        'driver': 'kubernetes',
        'federation': 'none',
        'project': keystone.project(project),
        'resource': 'Cluster',
    }
    other = f'{project}-other'
    tokens = {
        ADMIN: token('admin', 'admin', 'admin'),
        OWNER: owner,
        MEMBER: token(f'member-{project}', project, 'member'),
        READER: token(f'reader-{project}', project, 'reader'),
        STRANGER: token(f'stranger-{project}', other, 'member'),
        NOBODY: token(f'nobody-{project}', project, 'none'),
    }
    wrong = []
    for (method, path), row in TABLE.items():
        for persona, text in tokens.items():
            if method != 'GET' and persona in row.allowed:
                continue  # what changes things has the same rules in the larger table
            url = filled(path if path in ('/', '/v1') else f'/v1{path}', names)
            status = api.call(method, url, filled(row.body, names), token=text).status_int
            if status != row.expected(persona):
                wrong.append((method, path, persona, status))
    assert wrong == []


def test_requests_do_not_ask_keystone_again(api, keystone, owner):
    api.ok('GET', '/v1/clusters', token=owner)
    time.sleep(1)  # a call is written down after its answer
    before = len(keystone.calls())
    for _ in range(100):
        api.ok('GET', '/v1/clusters', token=owner)
    for path in ('/v1/clusters/detail', '/v1/clustertemplates', '/v1/drivers'):
        api.ok('GET', path, token=owner)
    time.sleep(1)
    assert keystone.calls()[before:] == []


def test_an_application_credential_is_told_what_it_lacks(api, owner, robot):
    template = make_template(api, owner)
    assert api.ok('GET', '/v1/clusters', token=robot) == {'clusters': []}
    error = api.refused(403, 'POST', '/v1/clusters', {'cluster_template_id': template}, token=robot)
    assert 'application credentials' in error['title'] and 'delegation = service' in error['title']
    assert api.ok('GET', '/v1/clusters', token=owner) == {'clusters': []}
    assert open_trusts(api) == 0


def test_without_trusts_an_application_credential_creates(
    make_api, keystone, owner, robot, project
):
    keystone.user('magnum', project, 'member')
    api = make_api(identity={'delegation': 'service'})
    template = make_template(api, owner)
    api.ok('POST', '/v1/clusters', {'cluster_template_id': template}, token=robot)


def test_a_request_that_is_refused_leaves_no_trust(make_api, keystone, owner, project):
    api = make_api(api={'cluster_quota': 0})
    template = make_template(api, owner)
    error = api.refused(403, 'POST', '/v1/clusters', {'cluster_template_id': template}, token=owner)
    assert 'maximum number of clusters' in error['title']
    assert trusts(keystone, f'owner-{project}') == []
    assert open_trusts(api) == 0


def test_a_request_that_breaks_off_leaves_a_trust_that_is_found(
    api, keystone, owner, project, monkeypatch
):
    template = make_template(api, owner)

    def die(*arguments, **more):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(operations, 'add', die)
        with pytest.raises(SystemExit):
            api.call('POST', '/v1/clusters', {'cluster_template_id': template}, token=owner)
    api.ok('POST', '/v1/clusters', {'cluster_template_id': template}, token=owner)
    assert len(trusts(keystone, f'owner-{project}')) == open_trusts(api) == 2
    lost = api.application.service.delegations.trusts
    revoke_strays(lost, api.db, older_s=600)
    assert open_trusts(api) == 2
    revoke_strays(lost, api.db, older_s=-1)
    (kept,) = trusts(keystone, f'owner-{project}')
    with api.db.read() as connection:
        (identity,) = connection.execute(sa.text('SELECT identity FROM clusters')).scalars()
    assert json.loads(identity)['trust_id'] == kept.id
    assert open_trusts(api) == 1


def running(connection, cluster):
    """The cluster's one operation, as a worker in the midst of a step has it."""
    store.update(connection, Operation, {'state': 'QUEUED', 'slot': RUN}, cluster_id=cluster)
    (operation,) = store.find(connection, Operation, cluster_id=cluster)
    assert claims.claim(connection, operation.uuid, owner='worker', lease_s=600)
    return claims.step(connection, operation.uuid, owner='worker', lease_s=600)


def test_a_rotation_that_ends_leaves_the_next_request_its_trust(
    api, keystone, owner, token, project, monkeypatch
):
    template = make_template(api, owner)
    cluster = api.ok('POST', '/v1/clusters', {'cluster_template_id': template}, token=owner)['uuid']
    api.settle(cluster)
    heir = token(f'heir-{project}', project, 'member')

    def die(*arguments, **more):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(operations, 'add', die)
        api.call('PATCH', f'/v1/credentials/{cluster}', token=heir)
    operation = api.db.write(running, cluster)
    form = api.application.service.delegations.trusts
    revoke(form, api.db, operation, keep=lambda ident: False)
    assert trusts(keystone, f'owner-{project}') == []
    assert len(trusts(keystone, f'heir-{project}')) == open_trusts(api) == 1
    revoke(form, api.db, operation)
    assert trusts(keystone, f'heir-{project}') == [] and open_trusts(api) == 0
