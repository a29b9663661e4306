"""Heat's notifications move an operation on, long before the conductor would look by itself."""

import pytest

from tests.service.deployment import deployment, mariadb

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq]
LOOK_S = 120


@pytest.fixture
def service(tmp_path, heat, mariadb_url):
    """A service whose conductor looks at Heat every two minutes, unless something happened."""
    running, broker = heat
    with (
        mariadb(mariadb_url) as database,
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
