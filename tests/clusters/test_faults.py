"""A swarm while parts fail: of the cloud, and of the service, which runs as operators run it."""

import signal
import time

import pytest

from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.production import deployment
from tests.clusters.remote import RELEASES, Remote, Terminal
from tests.clusters.swarm import SWARM, Docker
from tests.clusters.test_swarm import IMAGE, SERVICE

# In a project that no other module uses.
WHO = 'erin:faults'
HEALTH_S = 15
# Of one look, and until its turn.
LOOK_S = 10
# Longer than a conductor that was killed keeps its claim.
STOPS_S = 20

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


@pytest.mark.clients
@pytest.mark.parametrize('release', RELEASES)
def test_what_the_command_line_prints_is_all_that_docker_needs(service, swarm, release, tmp_path):
    terminal = Terminal(release, service.url, WHO)
    assert terminal.nodes(swarm.cluster['name'], tmp_path) == swarm.ready().keys()


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


def test_a_drain_whose_conductor_is_killed_is_ended_by_another(api, cloud, service, swarm):
    for node in swarm.ready():
        cloud.node(node).shell(IMAGE)
    slow = ('--name', 'slow', '--replicas', '2', '--stop-grace-period', f'{STOPS_S}s')
    # As process 1 it does not hear of SIGTERM.
    swarm.run(*SERVICE, *slow, 'app:1', 'sleep', '9999')
    swarm.wait_for_service('slow', 2)
    api.ok('POST', f'{swarm.path}/actions/resize', {'node_count': 1})
    drained = wait_for_a_drain(swarm)
    service.stop('conductor-0', signal.SIGKILL)
    service.conductor('another')
    assert drained in servers(cloud, swarm)
    until = time.monotonic() + PATIENCE_S
    while drained in servers(cloud, swarm):
        assert time.monotonic() < until, api.ok('GET', f'{swarm.path}/operations')
        time.sleep(0.2)
    # It had left in order, and was not lost.
    assert drained not in [node['Hostname'] for node in swarm.ask('node', 'ls')]
    api.wait(swarm.path, status='UPDATE_COMPLETE')
    assert sorted(swarm.ready().values()) == ['manager', 'worker']
    assert len(swarm.wait_for_service('slow', 2)) == 2
    assert len(runs(api, swarm)) == 2


def servers(cloud, swarm):
    """{name: id} of the servers of a cluster."""
    return {row['name']: row['id'] for row in swarm.rows(cloud, 'servers')}


def wait_for_a_drain(swarm):
    """The name of the node that tasks leave, once there is one."""
    until = time.monotonic() + PATIENCE_S
    while True:
        nodes = swarm.ask('node', 'ls')
        found = [node['Hostname'] for node in nodes if node['Availability'] == 'Drain']
        if found:
            return found[0]
        assert time.monotonic() < until, nodes
        time.sleep(0.2)


def runs(api, swarm):
    """The fences of the conductors that worked on the last change of a cluster."""
    path = f'{swarm.path}/operations'
    last = api.ok('GET', path)['operations'][-1]
    return {step['fence'] for step in api.ok('GET', f'{path}/{last["uuid"]}')['steps']}
