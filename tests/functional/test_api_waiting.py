"""A change that nobody works on says so to whoever asks."""

import datetime

import pytest

from magnum_lite.db import claims, store
from magnum_lite.objects import Cluster, Operation


@pytest.fixture
def cluster(api):
    """Uuid of a cluster that was asked for five minutes ago; no conductor is there."""
    uuid = api.cluster(api.template())
    then = store.utcnow() - datetime.timedelta(minutes=5)
    for resource, key in ((Cluster, 'uuid'), (Operation, 'cluster_id')):
        api.db.write(
            store.update, resource, {'created_at': then, 'updated_at': then}, **{key: uuid}
        )
    return uuid, f'waits for a conductor since {then:%Y-%m-%d %H:%M:%S} UTC'


def shown(api, uuid):
    """What the operation, the cluster and both lists say of it."""
    operation = api.ok('GET', f'/v1/clusters/{uuid}/operations')['operations'][0]
    one = api.ok('GET', f'/v1/clusters/{uuid}/operations/{operation["uuid"]}')
    cluster = api.ok('GET', f'/v1/clusters/{uuid}')
    listed = api.ok('GET', '/v1/clusters')['clusters'][0]
    return {
        operation['progress'],
        one['progress'],
        cluster['status_reason'],
        listed['status_reason'],
    }


def test_a_change_that_nobody_claimed_for_long_says_so(api, cluster):
    uuid, text = cluster
    assert shown(api, uuid) == {text}


def test_a_new_change_does_not_say_that_it_waits(api):
    assert shown(api, api.cluster(api.template())) == {None}


def test_a_change_that_a_conductor_has_does_not_say_that_it_waits(api, cluster):
    uuid, _ = cluster
    operation = api.ok('GET', f'/v1/clusters/{uuid}/operations')['operations'][0]['uuid']
    assert api.db.write(claims.claim, operation, owner='me', lease_s=120)
    assert shown(api, uuid) == {None}


def test_a_change_whose_conductor_is_lost_or_gone_says_so(api, cluster):
    uuid, _ = cluster
    operation = api.ok('GET', f'/v1/clusters/{uuid}/operations')['operations'][0]['uuid']
    assert api.db.write(claims.claim, operation, owner='me', lease_s=-60)
    assert all('waits for a conductor' in said for said in shown(api, uuid))
    api.db.write(claims.release_all, owner='me')
    assert shown(api, uuid) == {None}  # a moment ago


def test_a_change_that_waits_for_another_does_not_wait_for_a_conductor(api, cluster):
    uuid, _ = cluster
    api.settle(uuid)
    for count in (2, 3):
        api.ok('POST', f'/v1/clusters/{uuid}/actions/resize', {'node_count': count})
    then = store.utcnow() - datetime.timedelta(minutes=5)
    api.db.write(store.update, Operation, {'created_at': then, 'updated_at': then}, cluster_id=uuid)
    found = api.ok('GET', f'/v1/clusters/{uuid}/operations')['operations']
    said = [bool(operation['progress']) for operation in found]
    assert said == [False, True, False]  # done, next, queued behind it
