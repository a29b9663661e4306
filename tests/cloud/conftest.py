"""The service as operators run it, on a whole OpenStack."""

import os
import uuid

import pytest

from magnum_lite_dev.openstack.cloud import running_openstack
from magnum_lite_dev.openstack.seed import connect
from magnum_lite_dev.rig.production import deployment
from tests.cloud.owner import Owner


@pytest.fixture(scope='session')
def openstack(tmp_path_factory):
    """The cloud."""
    venv = os.environ['MAGNUM_LITE_TEST_OPENSTACK']
    with running_openstack(tmp_path_factory.mktemp('cloud'), venv) as running:
        yield running


@pytest.fixture(scope='session')
def service(openstack, tmp_path_factory):
    """Gunicorn and two conductors, on the cloud's own MariaDB and RabbitMQ."""
    with deployment(
        tmp_path_factory.mktemp('service'),
        openstack.heat,
        keystone=openstack.keystone,
        database=openstack.database,
        broker=openstack.broker,
        lease_s=60,
    ) as running:
        openstack.keystone.endpoints({'container-infra': f'{running.url}/v1'})
        yield running


@pytest.fixture
def owner(openstack, service):
    """A member of a project of its own."""
    project = f'project-{uuid.uuid4().hex[:8]}'
    openstack.keystone.user(f'owner-{project}', project, 'member')
    return Owner(service, f'owner-{project}', project)


@pytest.fixture
def admin(openstack):
    """The cloud as its administrator sees it."""
    return connect(openstack.keystone.session('admin', 'admin'))
