"""What nodes authenticate with: made by the caller's token, gone with the cluster."""

import contextlib
import json

import pytest
import sqlalchemy as sa
from keystoneauth1 import exceptions as ksa_exc
from keystoneclient.v3 import client

from magnum_lite.db import operations
from magnum_lite.db.tables import METADATA, ledger
from magnum_lite_dev.directory import PASSWORD
from tests import fixtures
from tests.identity.calling import Calling, log_in

pytestmark = pytest.mark.keystone


@pytest.fixture
def make_working(make_conf):
    """A function that gives the service in this process, with a worker that has ``Calling``."""
    with contextlib.ExitStack() as started:
        yield lambda **groups: started.enter_context(
            fixtures.working(
                make_conf(enrolment={'public_url': 'https://here'}, **groups), Calling()
            )
        )


@pytest.fixture
def make_accepting(make_api):
    """A function that gives the service without a worker."""

    def make(**groups):
        api = make_api(**groups)
        api.db.write(
            fixtures.store.insert,
            fixtures.driver_row(
                name='tiny',
                plugin_name='tiny',
                coe='tiny',
                server_types=['vm'],
                distros=['debian'],
                capabilities=sorted(Calling.capabilities),
            ),
        )
        return api

    return make


@pytest.fixture
def owner(token, project):
    """Token of a member of the project."""
    return token(f'owner-{project}', project, 'member')


@pytest.fixture
def held(keystone, project):
    """A function that gives the application credentials of a user of the project."""

    def look(user='owner'):
        return keystone.admin.application_credentials.list(user=keystone.user(f'{user}-{project}'))

    return look


@pytest.fixture
def node(keystone_heat, keystone, project):
    """A function that gives what the only node in the project was told."""

    def look():
        (row,) = [
            row
            for row in keystone_heat[1].state()['servers'].values()
            if row['tenant_id'] == keystone.project(project)
        ]
        return json.loads(row['_user_data'])

    return look


def create(api, token):
    """Path of a new cluster."""
    template = api.ok(
        'POST',
        '/v1/clustertemplates',
        {
            'coe': 'tiny',
            'image_id': 'debian-13',
            'flavor_id': 'm1.small',
            'master_flavor_id': 'm1.small',
        },
        token=token,
    )['uuid']
    cluster = api.ok('POST', '/v1/clusters', {'cluster_template_id': template}, token=token)
    return f'/v1/clusters/{cluster["uuid"]}'


def text_of(database):
    """Everything in all tables."""
    with database.read() as connection:
        return '\n'.join(
            str(tuple(row))
            for table in METADATA.sorted_tables
            for row in connection.execute(sa.select(table))
        )


def open_kinds(database):
    """Sorted kinds of the things in Keystone that the ledger knows to exist."""
    query = sa.select(ledger).where(ledger.c.closed_at.is_(None), ledger.c.kind != 'heat-stack')
    with database.read() as connection:
        rows = connection.execute(query).all()
    return sorted(row.kind for row in rows)


def test_a_node_has_one_as_long_as_its_cluster_lives(
    make_working, owner, keystone, project, held, node, caplog
):
    api = make_working()
    path = create(api, owner)
    api.wait(path, status='CREATE_COMPLETE', token=owner)
    (made,) = held()
    told = node()
    assert (told['url'], told['id']) == (keystone.url, made.id)
    assert made.name.startswith('magnum-lite-') and made.expires_at
    assert {role['name'] for role in made.roles} == {'member', 'reader'}
    opened = log_in(told)
    assert opened.get_project_id() == keystone.project(project)
    with pytest.raises(ksa_exc.Forbidden):  # it is restricted
        client.Client(session=opened, interface='public').application_credentials.create(
            'more', user=opened.get_user_id()
        )
    assert told['secret'] not in text_of(api.db)
    (operation,) = api.ok('GET', f'{path}/operations', token=owner)['operations']
    steps = api.ok('GET', f'{path}/operations/{operation["uuid"]}', token=owner)['steps']
    assert any(made.id in step['text'] and made.expires_at[:10] in step['text'] for step in steps)
    assert told['secret'] not in str(steps)

    api.ok('DELETE', path, token=owner)
    api.gone(path, token=owner)
    assert held() == [] and open_kinds(api.db) == []
    assert 'application_credential.' not in text_of(api.db)
    with pytest.raises(ksa_exc.NotFound):
        log_in(told)
    assert told['secret'] not in caplog.text


def test_a_rotation_gives_nodes_a_new_one(make_working, owner, token, project, held, node):
    api = make_working()
    path = create(api, owner)
    credentials = path.replace('clusters', 'credentials')
    api.wait(path, status='CREATE_COMPLETE', token=owner)
    before = node()
    api.ok('PATCH', credentials, token=owner)
    api.wait(path, status='UPDATE_COMPLETE', token=owner)
    after = node()
    assert [made.id for made in held()] == [after['id']] != [before['id']]
    log_in(after)
    with pytest.raises(ksa_exc.NotFound):
        log_in(before)

    heir = token(f'heir-{project}', project, 'member')
    api.ok('PATCH', credentials, token=heir)
    api.wait(path, status='UPDATE_COMPLETE', token=heir)
    assert held() == [] and [made.id for made in held('heir')] == [node()['id']]
    api.ok('DELETE', path, token=owner)
    api.gone(path, token=owner)
    assert held('heir') == [] and open_kinds(api.db) == []


def test_it_needs_no_trust(make_working, keystone, owner, project, held, node):
    keystone.user('magnum', project, 'member')
    api = make_working(identity={'delegation': 'service'})
    path = create(api, owner)
    api.wait(path, status='CREATE_COMPLETE', token=owner)
    assert [made.id for made in held()] == [node()['id']]
    api.ok('DELETE', path, token=owner)
    api.gone(path, token=owner)
    assert held() == []


def test_one_that_cannot_be_deleted_keeps_no_cluster(make_working, keystone, owner, held):
    api = make_working()
    path = create(api, owner)
    api.wait(path, status='CREATE_COMPLETE', token=owner)
    role, user, where = keystone.role('admin'), keystone.user('magnum'), keystone.project('service')
    keystone.admin.roles.revoke(role, user=user, project=where)
    try:
        api.ok('DELETE', path, token=owner)
        api.gone(path, token=owner)
    finally:
        keystone.admin.roles.grant(role, user=user, project=where)
    (left,) = held()
    last = api.ok('GET', f'{path}/operations', token=owner)['operations'][-1]
    steps = api.ok('GET', f'{path}/operations/{last["uuid"]}', token=owner)['steps']
    assert any(
        f'{left.id} cannot be deleted and counts as gone' in step['text'] for step in steps
    ), steps


def test_it_goes_with_its_owner(make_working, keystone, token, owner, project):
    api = make_working()
    path = create(api, owner)
    api.wait(path, status='CREATE_COMPLETE', token=owner)
    keystone.admin.users.delete(keystone.user(f'owner-{project}'))
    other = token(f'other-{project}', project, 'member')
    api.ok('DELETE', path, token=other)
    api.gone(path, token=other)
    assert open_kinds(api.db) == []


def test_a_request_that_is_refused_leaves_none(make_accepting, owner, held):
    api = make_accepting(api={'cluster_quota': 0})
    with pytest.raises(AssertionError, match='maximum number of clusters'):
        create(api, owner)
    assert held() == [] and open_kinds(api.db) == []


def test_a_request_that_breaks_off_leaves_one_that_is_found(
    make_accepting, owner, held, monkeypatch
):
    api = make_accepting()

    def die(*arguments, **more):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(operations, 'add', die)
        with pytest.raises(SystemExit):
            create(api, owner)
    create(api, owner)
    kinds = ['application-credential', 'trust']
    assert len(held()) == 2 and open_kinds(api.db) == sorted(2 * kinds)
    api.application.service.delegations.revoke_strays(older_s=-1)
    assert len(held()) == 1 and open_kinds(api.db) == kinds


def test_who_cannot_make_one_is_told(make_accepting, keystone, owner, project, held):
    keystone.user('magnum', project, 'member')
    api = make_accepting(identity={'delegation': 'service', 'node_roles': 'operator,backup'})
    with pytest.raises(AssertionError, match='none of the roles operator, backup'):
        create(api, owner)
    of = keystone.session(f'owner-{project}', project)
    robot = keystone.client(of).application_credentials.create(
        'robot', secret=PASSWORD, user=of.get_user_id()
    )
    api.application.service.conf.set_override('node_roles', ['member'], 'identity')
    token = log_in({'url': keystone.url, 'id': robot.id, 'secret': PASSWORD}).get_token()
    with pytest.raises(AssertionError, match='403.*authenticate with a password'):
        create(api, token)
    assert [made.name for made in held()] == ['robot'] and open_kinds(api.db) == []


def test_an_administrator_elsewhere_is_told_what_is_missing(
    make_accepting, keystone, owner, token, project, held
):
    keystone.user('magnum', project, 'member')
    api = make_accepting(identity={'delegation': 'service'})
    path = create(api, owner)
    api.settle(path.rpartition('/')[2])
    before = held()
    error = api.refused(
        403,
        'PATCH',
        path.replace('clusters', 'credentials'),
        token=token('admin', 'admin', 'admin'),
    )
    assert 'application credential of yours: your token is for another project' in error['detail']
    assert held() == before
