"""Upgrades by a driver that makes new nodes beside the old ones: who gets some, and how many."""

import pytest

from magnum_lite.conductor.judge import Judge
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.objects import DriverVersion, NodeGroup, Operation
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

REGISTRY = Registry({'kubernetes': Kubernetes()})


@pytest.fixture
def api(configured):
    """A service whose clusters have at most eight nodes."""
    with configured(cluster={'max_nodes': 8}) as running:
        running.db.write(
            store.insert,
            fixtures.driver_row(version=2, capabilities=['surge', 'update', 'upgrade']),
        )
        yield running


@pytest.fixture
def cluster(api):
    """Path of a complete cluster of one control-plane node and three workers."""
    uuid = api.cluster(api.template(), node_count=3)
    api.settle(uuid)
    api.template(name='newer', image_id='ubuntu-24.04')
    return f'/v1/clusters/{uuid}'


@pytest.fixture
def published(tmp_path):
    """A service whose driver is the real one, without a conductor."""
    with fixtures.service(fixtures.make_conf(tmp_path), driver=False) as running:
        REGISTRY.publish(running.db)
        yield running
    fixtures.forget_conf()


def generations(api):
    """``{name: generation}`` that the newest operation asks for."""
    with api.db.read() as connection:
        names = {group.uuid: group.name for group in store.find(connection, NodeGroup)}
        wants = store.find(connection, Operation)[-1].wants
    return {names[uuid]: number for uuid, number in wants.generations.items()}


def test_workers_that_formed_get_a_new_generation(api, cluster):
    uuid = api.ok('POST', f'{cluster}/nodegroups', {'name': 'typo', 'node_count': 0})['uuid']
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'more'})
    api.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    api.db.write(store.update, NodeGroup, {'status': 'CREATE_FAILED'}, uuid=uuid)
    api.db.write(store.update, NodeGroup, {'generation': 4, 'node_count': 0}, name='more')
    api.ok('POST', f'{cluster}/actions/upgrade', {'cluster_template': 'newer'})
    assert generations(api) == {'default-worker': 2, 'more': 5}
    with api.db.read() as connection:
        wants = store.find(connection, Operation)[-1].wants
    # Which members are gone is told of the nodes that there were.
    assert wants.groups[uuid] == {'image_id': 'ubuntu-24.04'}
    assert {name: values.get('removed') for name, values in wants.groups.items()} == {
        name: [] if name in wants.generations else None for name in wants.groups
    }


def test_so_does_a_group_that_is_upgraded_alone(api, cluster):
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'more'})
    api.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    current = api.ok('GET', cluster)['cluster_template_id']
    api.ok('POST', f'{cluster}/actions/upgrade', {'cluster_template': current, 'nodegroup': 'more'})
    assert generations(api) == {'more': 2}


def test_other_drivers_change_the_nodes_that_there_are(api, cluster):
    api.db.write(store.update, DriverVersion, {'capabilities': ['update', 'upgrade']})
    api.ok('POST', f'{cluster}/actions/upgrade', {'cluster_template': 'newer'})
    assert generations(api) == {}


def test_old_and_new_nodes_together_keep_the_limits(api, cluster):
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 4})
    api.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    error = api.refused(400, 'POST', f'{cluster}/actions/upgrade', {'cluster_template': 'newer'})
    assert error['title'] == (
        'Invalid input for cluster_template: with its new nodes beside the old ones the cluster '
        'would have 9 in all, at most 8 are accepted ([cluster] max_nodes)'
    )
    assert api.ok('GET', cluster)['status'] == 'UPDATE_COMPLETE'
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 3})
    api.settle(cluster.rpartition('/')[2], 'UPDATE_COMPLETE')
    api.ok('POST', f'{cluster}/actions/upgrade', {'cluster_template': 'newer'})


@pytest.mark.parametrize(
    ('changes', 'wanted'),
    [({'generation': 2}, 21), ({'node_count': 20}, 21), ({'image_id': 'ubuntu-24.04'}, None)],
)
def test_a_driver_is_asked_about_the_nodes_of_both(published, changes, wanted):
    uuid = published.cluster(
        published.template(), node_count=10, labels={'fixed_subnet_cidr': '10.0.0.0/28'}
    )
    facts = {'image': {'id': 'i', 'name': 'ubuntu', 'os_distro': 'ubuntu'}}
    with published.db.read() as connection:
        worker = store.get(connection, NodeGroup, 'default-worker', cluster_id=uuid)
    judge = Judge(published.application.service.conf, published.db, REGISTRY)
    refusal = judge.validate(
        {
            'kind': 'upgrade',
            'project_id': 'red',
            'user_id': 'ann',
            'request_id': 'req-1',
            'cluster': {'uuid': uuid, 'facts': facts},
            'groups': {worker.uuid: changes},
            'focus': None,
            'template': None,
        },
        30,
    )
    assert (refusal and refusal['reason']) == (
        wanted and (f'10.0.0.0/28 has room for 12 nodes, {wanted} are wanted')
    )
