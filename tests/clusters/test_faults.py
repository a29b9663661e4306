"""A swarm while parts fail: of the cloud, and of the service, which runs as operators run it."""

import time

import pytest

from magnum_lite_dev.rig.production import deployment
from tests.clusters.remote import Remote
from tests.clusters.swarm import SWARM, Docker

# In a project that no other module uses.
WHO = 'erin:faults'
HEALTH_S = 15
# Of one look, and until its turn.
LOOK_S = 10

pytestmark = [pytest.mark.nodes, pytest.mark.needs('docker')]


@pytest.fixture(scope='module')
def service(cloud, tmp_path_factory):
    """An API and one conductor, with all drivers, where nodes reach them."""
    path = tmp_path_factory.mktemp('deployed')
    database = f'sqlite:///{path}/service.sqlite'
    options = {'conductors': 1, 'api_workers': 1, 'health_s': HEALTH_S, 'boots': True}
    with deployment(path, cloud, database=database, **options) as running:
        yield running


@pytest.fixture(scope='module')
def api(service):
    """The API as a tenant reaches it."""
    return Remote(service.url, WHO)


@pytest.fixture(scope='module')
def swarm(api, tmp_path_factory):
    """A cluster of one manager and two workers, by the other name of the COE: ``swarm.Docker``."""
    template = api.template(name='mode', **SWARM | {'coe': 'swarm-mode'})
    path = f'/v1/clusters/{api.cluster(template, name="mode", node_count=2)}'
    api.wait(path, status='CREATE_COMPLETE')
    swarm = Docker(api, path, tmp_path_factory.mktemp('docker'))
    swarm.wait_for_nodes(3)
    yield swarm
    api.ok('DELETE', path)
    api.gone(path)


def test_a_worker_that_loses_its_power_is_told_of_and_replaced(api, cloud, swarm):
    victim = next(name for name, role in swarm.ready().items() if role == 'worker')
    server = servers(cloud, swarm)[victim]
    cloud.fault(kind='power_loss', match=victim)
    swarm.wait_for_nodes(2)
    known_at = time.monotonic()
    while (shown := api.ok('GET', swarm.path))['health_status'] != 'UNHEALTHY':
        assert time.monotonic() < known_at + HEALTH_S + LOOK_S, shown
        time.sleep(0.5)
    assert shown['health_status_reason'][f'{victim}.Ready'] == 'False'
    swarm.resize(2, server)
    swarm.wait_for_nodes(3)
    assert len(swarm.ask('node', 'ls')) == 3
    assert server not in servers(cloud, swarm).values()


def servers(cloud, swarm):
    """{name: id} of the servers of a cluster."""
    return {row['name']: row['id'] for row in swarm.rows(cloud, 'servers')}
