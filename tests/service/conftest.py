"""One deployment for all tests of the service."""

import pytest

from magnum_lite_dev.fixture import running_heat
from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.production import deployment
from magnum_lite_dev.rig.services import vhost


@pytest.fixture(scope='session')
def heat(tmp_path_factory, rabbitmq_url):
    """A Heat that tells the broker of its stacks, and the transport URL that it uses."""
    with (
        vhost(rabbitmq_url) as broker,
        running_heat(
            tmp_path_factory.mktemp('heat'), transport_url=broker, topics='magnum_lite_heat'
        ) as heat,
    ):
        yield heat, broker


@pytest.fixture(scope='module')
def service(tmp_path_factory, heat, mariadb_url):
    """Two API workers, two conductors, MariaDB, RabbitMQ."""
    running, broker = heat
    with (
        fresh_database(mariadb_url) as database,
        deployment(
            tmp_path_factory.mktemp('service'), running, database=database, broker=broker
        ) as service,
    ):
        yield service
