"""Clusters that form: the service, the real Heat, and nodes that boot."""

import pytest

from magnum_lite_dev.server import Server
from magnum_lite_dev.state import free_port
from magnum_lite_swarm.driver import Swarm
from tests import fixtures
from tests.clusters.swarm import SWARM, Docker

# The container image of the tests, in the engine of each node that boots with it.
APP_UNIT = """\
[Unit]
After=docker.service
[Service]
Type=oneshot
ExecStart=sh -c 'tar -C / -c bin lib lib64 sbin | docker import - app:1'
[Install]
WantedBy=docker.service
"""


@pytest.fixture(scope='session')
def cloud(running_cloud, tmp_path_factory):
    """A Heat and a cloud whose servers boot; of the images app and app-2 with an image for
    containers."""
    layers = {
        name: [layer(tmp_path_factory.mktemp(name), generation)]
        for generation, name in enumerate(('app', 'app-2'), 1)
    }
    with running_cloud(nodes='real', image='swarm', also=layers) as heat:
        yield heat


def layer(directory, generation):
    """A directory that lies over the image of nodes."""
    units = directory / 'etc/systemd/system'
    (units / 'docker.service.wants').mkdir(parents=True)
    (units / 'app.service').write_text(APP_UNIT)
    (units / 'docker.service.wants/app.service').symlink_to('../app.service')
    (directory / 'etc/generation').write_text(f'{generation}\n')
    directory.chmod(0o755)
    return directory


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
