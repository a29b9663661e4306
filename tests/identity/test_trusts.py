"""The trust by a cluster's owner: all that the service does for the cluster goes through it."""

import time

import pytest

pytestmark = pytest.mark.keystone
TOKEN_S = 15
BUILD_S = 10


@pytest.fixture
def owner(tenants, project):
    """A member of a fresh project."""
    return tenants('owner', project, 'member')


@pytest.fixture
def slow_servers(keystone_heat):
    """Servers that take longer to build than a token lives."""
    heat = keystone_heat[1]
    heat.settings(build_seconds=BUILD_S)
    yield
    heat.settings(build_seconds=0.05)


def steps(tenant, uuid, kind):
    """The journal's texts of the last operation of a kind."""
    rows = tenant('GET', f'/clusters/{uuid}/operations', 200)['operations']
    last = [row['uuid'] for row in rows if row['kind'] == kind][-1]
    operation = tenant('GET', f'/clusters/{uuid}/operations/{last}', 200)
    return [step['text'] for step in operation['steps']]


def test_the_trust_lives_as_long_as_the_cluster(owner, keystone):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    assert set(owner.stacks().values()) == {'CREATE_COMPLETE'}
    (trust,) = owner.trusts_to('magnum')
    shown = keystone.admin.trusts.get(trust)
    assert (shown.trustor_user_id, shown.project_id) == (
        owner.user_id,
        owner.session.get_project_id(),
    )
    assert owner.trusts_to('heat') != []
    owner('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
    owner.wait(uuid, 'UPDATE_COMPLETE')
    assert owner.trusts_to('magnum') == [trust]
    owner('DELETE', f'/clusters/{uuid}', 204)
    owner.gone(uuid)
    assert owner.stacks() == {}
    assert owner.trusts_to('magnum') == owner.trusts_to('heat') == []
    assert steps(owner, uuid, 'delete')[-2:] == [f'trust {trust} is deleted', 'done']


def test_another_member_changes_and_deletes_through_the_owners_trust(owner, tenants, project):
    uuid = owner.create(owner.template())
    owner.wait(uuid)
    other = tenants('other', project, 'member')
    other('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
    other.wait(uuid, 'UPDATE_COMPLETE')
    assert other.trusts_to('magnum') == other.trusts_to('heat') == []
    other('DELETE', f'/clusters/{uuid}', 204)
    other.gone(uuid)
    assert owner.trusts_to('magnum') == []


def test_a_cluster_outlives_the_token_it_was_asked_for_with(owner, keystone, slow_servers):
    template = owner.template()
    with keystone.token_lifetime(TOKEN_S):
        owner.session.invalidate()
        began = time.monotonic()
        uuid = owner.create(template)
        owner.wait(uuid)
        assert time.monotonic() - began > TOKEN_S
        owner('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
        owner.wait(uuid, 'UPDATE_COMPLETE')
    owner('DELETE', f'/clusters/{uuid}', 204)
    owner.gone(uuid)
    assert owner.trusts_to('magnum') == []
