"""Changes of a cluster as a whole: upgrades, and new certificate authorities."""

import pytest
import sqlalchemy as sa

from magnum_lite.db import store
from magnum_lite.db.tables import secrets
from magnum_lite.exceptions import WrongState
from magnum_lite.objects import Certificate, ClusterTemplate
from tests.engine.conftest import BOTH

pytestmark = BOTH


@pytest.fixture
def cluster(worker, tenant):
    """Uuid of a complete cluster."""
    create = tenant.create()
    tenant.wait(create)
    return create.cluster_id


def authorities(tenant):
    """[(generation, PEM)] of all certificate authorities, and the names of all secrets."""
    with tenant.database.read() as connection:
        rows = store.rows(connection, Certificate)
        names = connection.execute(sa.select(secrets.c.name)).scalars().all()
    return [(row.generation, row.pem) for row in rows], sorted(names)


def test_new_authorities_replace_the_old_ones_when_the_cluster_has_them(tenant, cluster):
    (first,), _ = authorities(tenant)
    rotate = tenant.whole(cluster, 'rotate_ca', cluster={'ca_generation': 2})
    assert tenant.cluster(cluster).status == 'UPDATE_IN_PROGRESS'
    assert tenant.cluster(cluster).ca_generation == 1
    tenant.wait(rotate)
    (second,), names = authorities(tenant)
    assert second[0] == 2 and second[1] != first[1]
    assert names == ['ca.kubernetes.key.2', 'join']
    assert tenant.cluster(cluster).ca_generation == 2
    assert {group.status for group in tenant.groups(cluster).values()} == {'CREATE_COMPLETE'}
    assert tenant.stacks()[f'tiny-{cluster}'] == 'UPDATE_COMPLETE'

    # What came afterwards has them too: nothing is left to do.
    before = tenant.parts()
    tenant.wait(tenant.resize(cluster, 1))
    assert {part.name: (part.digest, part.attempt) for part in tenant.parts()} == {
        part.name: (part.digest, part.attempt) for part in before
    }


def test_a_rotation_that_fails_leaves_the_old_authorities(tenant, cluster):
    (first,), _ = authorities(tenant)
    failed = tenant.wait(
        tenant.whole(
            cluster, 'rotate_ca', cluster={'ca_generation': 2, 'labels': {'cidr': 'refused'}}
        ),
        'FAILED',
    )
    found = tenant.cluster(cluster)
    assert (found.status, found.status_reason) == ('UPDATE_FAILED', failed.error_text)
    assert (found.ca_generation, found.labels) == (1, {})
    assert first in authorities(tenant)[0]


def test_nothing_of_the_kind_waits(database, tenant):
    create = tenant.create()
    for kind in ('rotate_ca', 'upgrade'):
        with pytest.raises(WrongState):
            tenant.whole(create.cluster_id, kind)


def test_an_upgrade_moves_the_cluster_to_the_template_when_it_is_done(tenant, cluster):
    new = ClusterTemplate.new(
        name='new',
        coe='tiny',
        image_id='ubuntu-24.04',
        labels={'cidr': '10.9.0.0/24'},
        project_id=tenant.project,
        user_id='ann',
    )
    tenant.database.write(store.insert, new)
    old = tenant.cluster(cluster).cluster_template_id
    group = tenant.groups(cluster)['default-worker']
    upgrade = tenant.whole(
        cluster,
        'upgrade',
        max_batch_size=2,
        cluster={'cluster_template_id': new.uuid, 'labels': new.labels, 'facts': {}},
        groups={group.uuid: {'image_id': 'ubuntu-24.04'}},
    )
    found = tenant.cluster(cluster)
    assert (found.status, found.cluster_template_id) == ('UPDATE_IN_PROGRESS', old)
    tenant.wait(upgrade)
    found = tenant.cluster(cluster)
    assert (found.status, found.cluster_template_id) == ('UPDATE_COMPLETE', new.uuid)
    assert found.facts['image']['name'] == 'ubuntu-24.04' and found.labels == new.labels
    group = tenant.groups(cluster)['default-worker']
    assert (group.image_id, group.status) == ('ubuntu-24.04', 'UPDATE_COMPLETE')


def test_each_change_of_the_whole_is_made_twice_without_harm(tenant, cluster):
    for kind, values in (
        ('upgrade', {'labels': {'cidr': '10.9.0.0/24'}}),
        ('rotate_ca', {'ca_generation': 2}),
        ('rotate_ca', {'ca_generation': 3}),
    ):
        for _ in range(2):  # who asks for the second rotation has read the generation before it
            tenant.wait(tenant.whole(cluster, kind, cluster=values))
            assert tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    (only,), names = authorities(tenant)
    assert only[0] == 3 and names == ['ca.kubernetes.key.3', 'join']
