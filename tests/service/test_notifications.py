"""Heat's notifications move an operation on, long before the conductor would look by itself."""

import pytest

from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.production import deployment

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq]
LOOK_S = 600


@pytest.fixture
def service(tmp_path, heat, mariadb_url):
    """A service whose conductor looks at Heat every ten minutes, unless something happened."""
    running, broker = heat
    with (
        fresh_database(mariadb_url) as database,
        deployment(
            tmp_path,
            running,
            database=database,
            broker=broker,
            conductors=1,
            api_workers=1,
            poll_min_s=LOOK_S,
            poll_max_s=LOOK_S,
        ) as service,
    ):
        yield service


def test_a_cluster_is_complete_by_notifications_alone(service):
    client = service.client('events')
    uuid = client.create(client.template())
    client.wait(uuid, within_s=LOOK_S / 2)
    operation = client('GET', f'/clusters/{uuid}/operations', 200)['operations'][0]
    shown = client('GET', f'/clusters/{uuid}/operations/{operation["uuid"]}', 200)
    texts = [step['text'] for step in shown['steps']]
    assert texts[-1] == 'done' and any('1 of 2 stacks' in text for text in texts), texts
    client('DELETE', f'/clusters/{uuid}', 204)
    client.gone(uuid, within_s=LOOK_S / 2)
