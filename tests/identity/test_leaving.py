"""Users and projects that are deleted before their clusters; and owners who change."""

import pytest

pytestmark = pytest.mark.keystone


@pytest.fixture
def owner(tenants, project):
    """A member of a fresh project."""
    return tenants('owner', project, 'member')


@pytest.fixture
def admin(tenants):
    """An administrator of another project."""
    return tenants('root', 'elsewhere', 'admin')


@pytest.fixture
def all_stacks(admin):
    """A function that gives {name: status} of the stacks of all projects."""
    return admin.stacks


def of(stacks, uuid):
    """Those of a cluster."""
    return [name for name in stacks if uuid in name]


def journal(tenant, uuid):
    """The journal's texts of the last operation."""
    last = tenant('GET', f'/clusters/{uuid}/operations', 200)['operations'][-1]
    return [
        step['text']
        for step in tenant('GET', f'/clusters/{uuid}/operations/{last["uuid"]}', 200)['steps']
    ]


def test_a_cluster_whose_owner_is_gone_is_deleted_by_an_admin(owner, admin, keystone, all_stacks):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    keystone.admin.users.delete(owner.user_id)
    assert len(of(all_stacks(), uuid)) == 2
    admin('DELETE', f'/clusters/{uuid}', 204)
    admin.gone(uuid)
    assert of(all_stacks(), uuid) == []
    assert (
        'the rights of its owner are gone: it is deleted with those of the service user'
        in journal(admin, uuid)
    )


def test_a_cluster_whose_project_is_gone_is_deleted_by_an_admin(owner, admin, keystone, all_stacks):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    keystone.admin.projects.delete(owner.session.get_project_id())
    assert len(of(all_stacks(), uuid)) == 2
    admin('DELETE', f'/clusters/{uuid}', 204)
    admin.gone(uuid)
    assert of(all_stacks(), uuid) == []
    assert owner.trusts_to('magnum') == []


def test_nobody_in_reach_does_not_keep_a_cluster(owner, admin, keystone):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    keystone.admin.users.delete(owner.user_id)
    role, service = keystone.role('admin'), keystone.project('service')
    magnum = keystone.user('magnum')
    keystone.admin.roles.revoke(role, user=magnum, project=service)
    try:
        admin('DELETE', f'/clusters/{uuid}', 204)
        admin.gone(uuid)
    finally:
        keystone.admin.roles.grant(role, user=magnum, project=service)
    texts = journal(admin, uuid)
    assert any(
        text.startswith('its owner is gone and the service user has no rights')
        and text.count(uuid) == 2
        for text in texts
    ), texts


def test_a_disabled_owner_keeps_the_cluster_from_nobody(owner, admin, keystone, all_stacks):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    keystone.admin.users.update(owner.user_id, enabled=False)
    admin('DELETE', f'/clusters/{uuid}', 204)
    admin.gone(uuid)
    assert of(all_stacks(), uuid) == []
    assert owner.trusts_to('magnum') == []


def test_whoever_rotates_the_credentials_owns_the_cluster(owner, tenants, project, keystone, admin):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    heir = tenants('heir', project, 'member')
    heir('PATCH', f'/credentials/{uuid}', 202)
    assert heir.wait(uuid, 'UPDATE_COMPLETE')['user_id'] == heir.user_id
    assert owner.trusts_to('magnum') == owner.trusts_to('heat') == []
    assert len(heir.trusts_to('magnum')) == 1
    assert len(heir.trusts_to('heat')) == 2
    assert set(heir.stacks().values()) == {'UPDATE_COMPLETE'}
    keystone.admin.users.delete(owner.user_id)
    heir('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
    heir.wait(uuid, 'UPDATE_COMPLETE')
    admin('PATCH', f'/credentials/{uuid}', 403)
    heir('DELETE', f'/clusters/{uuid}', 204)
    heir.gone(uuid)
    assert heir.trusts_to('magnum') == heir.trusts_to('heat') == []


def test_an_owner_may_rotate_as_well(owner):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    heats = owner.trusts_to('heat')
    owner('PATCH', f'/credentials/{uuid}', 202)
    owner.wait(uuid, 'UPDATE_COMPLETE')
    # Heat makes no new trusts for the same user, and its old ones need our old one.
    assert owner.trusts_to('heat') == heats
    assert len(owner.trusts_to('magnum')) == 2
    owner('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
    owner.wait(uuid, 'UPDATE_COMPLETE')
    owner('DELETE', f'/clusters/{uuid}', 204)
    owner.gone(uuid)
    assert owner.trusts_to('magnum') == owner.trusts_to('heat') == []
