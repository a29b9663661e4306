"""A swarm that moves to another image while it works."""

import time

import pytest

from magnum_lite_dev.rig import PATIENCE_S
from tests.clusters.swarm import SWARM, Docker
from tests.clusters.visitor import Visitor

PORT = 30080
# Everybody may use the services.
OPEN = {'service_allowed_cidrs': '0.0.0.0/0'}
SERVICE = (
    'service',
    'create',
    '--detach',
    '--no-resolve-image',
    '--name',
    'web',
    '--mode',
    'global',
    '--constraint',
    'node.role==worker',
    '--mount',
    'type=bind,source=/usr,target=/usr,readonly',
    '--publish',
    f'mode=host,published={PORT},target=80',
    'app:1',
    'socat',
    'TCP-LISTEN:80,fork,reuseaddr',
    'SYSTEM:\'read line; printf "HTTP/1.0 200 OK\\r\\n\\r\\nanswered"\'',
)
GENERATION = 'cat /etc/generation'

pytestmark = [pytest.mark.nodes, pytest.mark.needs('docker')]


@pytest.fixture
def old(api, tmp_path):
    """A cluster of one manager and two workers with a service, as its tenant has it."""
    template = api.template(name='old', labels=OPEN, **SWARM | {'image_id': 'app'})
    path = f'/v1/clusters/{api.cluster(template, name="moves", node_count=2)}'
    api.wait(path, status='CREATE_COMPLETE')
    swarm = Docker(api, path, tmp_path)
    swarm.wait_for_nodes(3)
    swarm.run(*SERVICE)
    swarm.wait_for_service('web', 2)
    yield swarm
    api.ok('DELETE', path)
    api.gone(path)


def workers(cloud, swarm):
    """{address: name} of the servers of workers."""
    rows = swarm.rows(cloud, 'servers')
    return {
        port['fixed_ips'][0]['ip_address']: row['name']
        for row in rows
        if 'worker' in row['name'] and not row['_deleted_at']
        for port in swarm.rows(cloud, 'ports')
        if port['device_id'] == row['id']
    }


def test_new_nodes_come_beside_the_old_and_a_service_answers_all_the_time(api, cloud, old):
    template = api.template(name='new', labels=OPEN, **SWARM | {'image_id': 'app-2'})
    (router,) = (row['id'] for row in old.rows(cloud, 'routers'))
    before = set(workers(cloud, old).values())
    fewest = []
    with Visitor(cloud, router, lambda: set(workers(cloud, old)), PORT) as visitor:
        api.ok('POST', f'{old.path}/actions/upgrade', {'cluster_template': template})
        until = time.monotonic() + 2 * PATIENCE_S
        while (status := api.ok('GET', old.path)['status']) == 'UPDATE_IN_PROGRESS':
            assert time.monotonic() < until, api.ok('GET', f'{old.path}/operations')
            fewest += old.ready_workers()
            time.sleep(0.5)
    assert status == 'UPDATE_COMPLETE', api.ok('GET', old.path)['status_reason']
    assert visitor.failures == [] and visitor.answers > 100
    assert min(fewest) == 2
    after = workers(cloud, old)
    assert len(after) == 2 and before.isdisjoint(after.values())
    old.wait_for_nodes(3)
    assert len(old.ask('node', 'ls')) == 3
    for name in old.ready():
        assert cloud.node(name).shell(GENERATION) == '2'
