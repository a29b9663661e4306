"""Clusters that form: the service, the real Heat, and nodes that boot."""

import pytest

from magnum_lite_dev.server import Server
from magnum_lite_dev.state import free_port
from magnum_lite_swarm.driver import Swarm
from tests import fixtures
from tests.clusters.swarm import SWARM, Docker


@pytest.fixture(scope='session')
def cloud(running_cloud):
    """A Heat and a cloud whose servers boot."""
    with running_cloud(nodes='real', image='swarm') as heat:
        yield heat


@pytest.fixture(scope='session')
def api(cloud, tmp_path_factory):
    """The service with a worker and the Swarm driver, where nodes reach it."""
    port = free_port()
    conf = fixtures.make_conf(
        tmp_path_factory.mktemp('service'),
        catalog=cloud.catalog,
        api={'port': port},
        enrolment={'public_url': cloud.open_door(port)},
    )
    with fixtures.working(conf, Swarm()) as running:
        server = Server(running.application, port, name='api')
        yield running
        server.close()
    fixtures.forget_conf()


@pytest.fixture(scope='session')
def template(api):
    """Uuid of a template of swarms."""
    return api.template(name='swarm', **SWARM)


@pytest.fixture(scope='module')
def swarm(api, template, tmp_path_factory):
    """A cluster of one manager and two workers, as its tenant has it: ``swarm.Docker``."""
    path = f'/v1/clusters/{api.cluster(template, node_count=2)}'
    api.wait(path, status='CREATE_COMPLETE')
    return Docker(api, path, tmp_path_factory.mktemp('docker'))
