"""Groups whose creation was refused stand in no other's way."""

import pytest

from magnum_lite.db import store
from magnum_lite.driver_sdk import Rejected
from magnum_lite.objects import NodeGroup, nodegroup
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.conftest import working


class Picky(Tiny):
    """Refuses groups by their names, and makes no plan of them."""

    words = ('typo',)

    def validate(self, spec, /):
        """Of one group, where the spec has a focus."""
        super().validate(spec)
        for group in spec.node_groups:
            if spec.focus in (None, group.uuid) and group.name.startswith(self.words):
                raise Rejected('labels.cidr', f'node group {group.name} cannot differ')

    def plan(self, spec, /):
        """As every plan, of what was accepted."""
        assert not any(group.name.startswith('typo') for group in spec.node_groups)
        return super().plan(spec)


@pytest.fixture
def driver():
    """The driver of the worker."""
    return Picky()


@pytest.fixture
def cluster(conf, database, tenant, driver):
    """Uuid of a complete cluster with one group that is refused."""
    with working(conf, driver):
        create = tenant.create()
        tenant.wait(create)
        refuse(tenant, create.cluster_id, 'typo')
        yield create.cluster_id


def refuse(tenant, cluster, name):
    """Ask for a group that the driver refuses."""
    refused = tenant.wait(tenant.add_group(cluster, name), 'FAILED')
    assert refused.error_text == f'labels.cidr: node group {name} cannot differ'
    assert tenant.groups(cluster)[name].status == 'CREATE_FAILED'


def test_every_other_group_changes_beside_a_refused_one(tenant, cluster):
    tenant.wait(tenant.resize(cluster, 2))
    tenant.wait(tenant.add_group(cluster, 'more'))
    tenant.wait(tenant.resize(cluster, 2, name='more'))
    tenant.wait(tenant.remove_group(cluster, 'more'))
    assert tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    assert tenant.groups(cluster)['typo'].status == 'CREATE_FAILED'
    assert len(tenant.groups(cluster)['default-worker'].node_addresses) == 2


def test_a_cluster_changes_as_a_whole_beside_a_refused_group(tenant, cluster):
    tenant.wait(tenant.resize(cluster, 1))
    tenant.wait(tenant.whole(cluster, 'rotate_ca', cluster={'ca_generation': 2}))
    assert tenant.groups(cluster)['typo'].status == 'CREATE_FAILED'


def test_two_refused_groups_are_deleted(tenant, cluster):
    refuse(tenant, cluster, 'typo2')
    tenant.wait(tenant.remove_group(cluster, 'typo'))
    tenant.wait(tenant.remove_group(cluster, 'typo2'))
    assert set(tenant.groups(cluster)) == {'default-master', 'default-worker'}
    assert tenant.cluster(cluster).status == 'UPDATE_COMPLETE'
    tenant.wait(tenant.delete(cluster))
    assert tenant.stacks() == {}


def test_a_refused_group_that_is_asked_for_again_says_why_and_stays_out_of_the_way(tenant, cluster):
    again = tenant.wait(tenant.resize(cluster, 3, name='typo'), 'FAILED')
    assert again.error_text == 'labels.cidr: node group typo cannot differ'
    assert tenant.groups(cluster)['typo'].status == 'UPDATE_FAILED'
    tenant.wait(tenant.resize(cluster, 2))


def test_a_refused_group_does_not_wait_in_the_way(tenant, cluster):
    running = tenant.resize(cluster, 2)
    waiting = tenant.resize(cluster, 2, name='typo')
    tenant.wait(running)
    tenant.wait(waiting, 'FAILED')


def test_a_group_that_formed_is_kept_whatever_its_driver_says_of_it_by_now(tenant, cluster, driver):
    """A later version of a driver may refuse what an earlier one built."""
    tenant.wait(tenant.add_group(cluster, 'more'))
    stacks = tenant.stacks().keys()
    driver.words = ('typo', 'more')
    tenant.wait(tenant.resize(cluster, 2))
    assert tenant.stacks().keys() == stacks
    tenant.wait(tenant.remove_group(cluster, 'typo'))
    assert tenant.stacks().keys() == stacks
    tenant.wait(tenant.remove_group(cluster, 'more'))
    assert len(tenant.stacks()) == len(stacks) - 1


def test_a_group_that_is_only_late_keeps_its_stack_beside_a_refused_one(tenant, cluster, database):
    tenant.wait(tenant.add_group(cluster, 'late'))
    database.write(
        store.update,
        NodeGroup,
        {'status': 'CREATE_FAILED', 'stack_id': None},
        uuid=tenant.groups(cluster)['late'].uuid,
    )
    stacks = tenant.stacks().keys()
    tenant.wait(tenant.resize(cluster, 2))
    assert tenant.stacks().keys() == stacks


def test_what_a_group_says_of_stacks_tells_whether_it_formed():
    def unformed(**values):
        group = NodeGroup.new(**{'name': 'g', 'status': 'UPDATE_FAILED', **values})
        worker = NodeGroup.new(
            name='default-worker', is_default=True, stack_id='s', status='UPDATE_COMPLETE'
        )
        silent = NodeGroup.new(name='default-worker', is_default=True, status='UPDATE_COMPLETE')
        return [bool(nodegroup.unformed([other, group])) for other in (worker, silent)]

    assert unformed() == [True, False]
    assert unformed(status='CREATE_FAILED') == [True, True]
    assert unformed(stack_id='s') == unformed(is_default=True) == [False, False]
    assert (
        unformed(status='UPDATE_COMPLETE')
        == unformed(status='CREATE_IN_PROGRESS')
        == [False, False]
    )


@pytest.mark.parametrize(
    ('kind', 'target'), [('upgrade', {}), ('rotate_ca', {'cluster': {'ca_generation': 2}})]
)
def test_a_group_that_a_change_of_the_cluster_makes_is_complete(
    tenant, cluster, driver, kind, target
):
    """Its driver refused it once and takes it now."""
    driver.words = ('typo', 'later')
    refuse(tenant, cluster, 'later')
    tenant.wait(tenant.resize(cluster, 1))
    driver.words = ('typo',)
    tenant.wait(tenant.whole(cluster, kind, **target))
    groups = tenant.groups(cluster)
    assert len(groups['later'].node_addresses) == 1
    assert (groups['later'].status, groups['later'].status_reason) == ('CREATE_COMPLETE', None)
    assert groups['typo'].status == 'CREATE_FAILED'
