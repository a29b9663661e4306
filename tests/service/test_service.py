"""What operators rely on: load, crashes, a broker that goes away, memory that does not grow."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from tests.together import together

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq]
CLUSTERS = 20


def test_twenty_clusters_at_concurrency_ten(service):
    client = service.client('load')
    template = client.template()
    before = service.usage()

    def life(_):
        uuid = client.create(template, node_count=1)
        return client.wait(uuid)

    with ThreadPoolExecutor(10) as pool:
        clusters = list(pool.map(life, range(CLUSTERS)))
    assert all(cluster['api_address'].startswith('https://') for cluster in clusters)
    stacks = service.stacks('load')
    assert sorted(stacks.values()) == ['CREATE_COMPLETE'] * (2 * CLUSTERS)
    uuids = {cluster['uuid'] for cluster in clusters}
    assert len(uuids) == CLUSTERS
    assert all(sum(uuid in name for name in stacks) == 2 for uuid in uuids)
    for uuid in uuids:
        kinds = [
            (o['kind'], o['state'])
            for o in client('GET', f'/clusters/{uuid}/operations', 200)['operations']
        ]
        assert kinds == [('create', 'DONE')]
    _check_usage(before, service.usage())

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda uuid: client('DELETE', f'/clusters/{uuid}', 204), uuids))
    for uuid in uuids:
        client.gone(uuid)
    assert service.stacks('load') == {}
    client('DELETE', f'/clustertemplates/{template}', 204)


def test_no_process_prints_a_warning(service):
    """An operator could do nothing about those of libraries."""
    printed = {name: (service.path / f'{name}.log').read_text() for name in service.processes}
    assert len(printed) == 3 and 'Booting worker' in printed['api']
    assert not [text for text in printed.values() if 'Warning' in text]


def test_a_connection_that_was_idle_for_a_while_is_not_reset(service):
    # Only the socket itself shows it: HTTP libraries hide it most of the time, not always.
    where = urlsplit(service.url)
    connection = HTTPConnection(where.hostname, where.port, timeout=30)
    try:
        for _ in range(2):
            connection.request('GET', '/')
            connection.auto_open = 0  # a second connection would hide it too
            assert connection.getresponse().read()
            time.sleep(4)
    finally:
        connection.close()


def _check_usage(before, after):
    """Threads and file descriptors do not grow with the number of clusters; memory is bounded."""
    assert before.keys() == after.keys()
    for process, (memory, threads, files) in after.items():
        assert memory <= 150, f'{process}: {memory} MiB'
        # Pools fill up once: 16 threads for steps, 8 for looks at health and 4 for each of two
        # kinds of messages, and a connection each to Heat and the database.
        assert threads <= before[process][1] + 32, process
        assert files <= before[process][2] + 60, process


def test_a_broker_that_is_away_for_half_a_minute_loses_nothing(service):
    client = service.client('broker')
    template = client.template()
    uuids = [client.create(template) for _ in range(2)]
    service.door.fault = 'cut'
    shut_at = time.monotonic()
    try:
        began = time.monotonic()
        uuids += [client.create(template) for _ in range(2)]
        assert time.monotonic() - began < 10  # the API does not wait for the broker
        for uuid in uuids:
            client.wait(uuid)
        time.sleep(max(0, 30 - (time.monotonic() - shut_at)))
        uuids.append(client.create(template))
    finally:
        service.door.fault = None
    client.wait(uuids[-1])
    uuids.append(client.create(template))
    client.wait(uuids[-1])
    for uuid in uuids:
        client('DELETE', f'/clusters/{uuid}', 204)
    for uuid in uuids:
        client.gone(uuid)


def test_a_killed_conductor_is_replaced_by_another(service):
    client = service.client('killed')
    template = client.template()
    uuids = [client.create(template) for _ in range(3)]
    time.sleep(1)
    service.stop('conductor-0', signal.SIGKILL)
    try:
        for uuid in uuids:
            client.wait(uuid)
    finally:
        service.conductor('conductor-0')
    assert sorted(service.stacks('killed').values()) == ['CREATE_COMPLETE'] * 6
    for uuid in uuids:
        client('DELETE', f'/clusters/{uuid}', 204)
        client.gone(uuid)


def test_of_two_patches_at_once_one_is_accepted(service):
    client = service.client('race')
    uuid = client.create(client.template())
    client.wait(uuid)

    def send(count):
        reply = client._session.patch(
            f'{service.url}/v1/clusters/{uuid}',
            timeout=60,
            json=[{'op': 'replace', 'path': '/node_count', 'value': count}],
        )
        return reply.status_code, reply.text

    replies = together(lambda: send(2), lambda: send(3))
    assert sorted(code for code, _ in replies) == [202, 400], replies
    assert any('is running' in text for code, text in replies if code == 400)
    client.wait(uuid, 'UPDATE_COMPLETE')
    kinds = [o['state'] for o in client('GET', f'/clusters/{uuid}/operations', 200)['operations']]
    assert kinds == ['DONE', 'DONE']
    client('DELETE', f'/clusters/{uuid}', 204)
    client.gone(uuid)


def test_servers_that_somebody_deleted_come_back_with_a_resize(service, heat):
    running, _broker = heat
    client = service.client('lost')
    uuid = client.create(client.template(), node_count=2)
    client.wait(uuid)

    def servers():
        return {
            row['id']: row['name']
            for row in running.state()['servers'].values()
            if row['tenant_id'] == 'lost'
        }

    before = servers()
    workers = sorted(ident for ident, name in before.items() if 'master' not in name)
    for ident in before.keys() - {workers[1]}:
        requests.delete(
            f'{running.catalog["compute"]}/servers/{ident}', timeout=30
        ).raise_for_status()
    assert servers().keys() == {workers[1]}
    client('POST', f'/clusters/{uuid}/actions/resize', 202, {'node_count': 2})
    client.wait(uuid, 'UPDATE_COMPLETE')
    after = servers()
    assert len(after) == 3 and workers[1] in after
    assert sorted(after.values()) == sorted(before.values())
    client('DELETE', f'/clusters/{uuid}', 204)
    client.gone(uuid)
    assert servers() == {}
