"""Simulated nodes: what they find in their user data and what they do with it."""

import base64
import contextlib
import email.mime.multipart
import email.mime.text
import gzip
import json
import queue
import time

import pytest
import requests

from magnum_lite_dev.server import Server
from magnum_lite_dev.sim_cloud import SimCloud, enrolment, user_data

HANDLE = 'http://127.0.0.1:1/v1/p/stacks/s/1/resources/handle/signal'
CREDENTIALS = {
    'auth_url': 'http://127.0.0.1:1/v3',
    'user_id': 'u',
    'password': 'p',
    'project_id': 'q',
}
HEAT_SIGNAL = json.dumps({**CREDENTIALS, 'alarm_url': HANDLE, 'region_name': None})
CURL = (
    f"curl -i -X POST -H 'X-Auth-Token: u:q:heat_stack_user' -H 'Accept: application/json' {HANDLE}"
)
ENVIRONMENT = (
    f"SIGNAL_URL='{HANDLE}'\nSIGNAL_AUTH_URL='http://127.0.0.1:1/v3'\n"
    "SIGNAL_USER_ID='u'\nSIGNAL_PASSWORD='p'\nSIGNAL_PROJECT_ID='q'\n"
)


def multipart(*texts):
    """A MIME document as cloud-init reads it."""
    document = email.mime.multipart.MIMEMultipart()
    for text in texts:
        document.attach(email.mime.text.MIMEText(text, 'cloud-config'))
    return document.as_bytes()


def cloud_config(content):
    """cloud-config that writes one packed file."""
    packed = base64.b64encode(gzip.compress(content.encode())).decode()
    return (
        f'#cloud-config\nwrite_files:\n- path: /etc/signal\n  encoding: gz+b64\n'
        f'  content: {packed}\n'
    )


@pytest.mark.parametrize(
    'text',
    [HEAT_SIGNAL, ENVIRONMENT, f"SIGNAL='{HEAT_SIGNAL}'", json.dumps({'nested': HEAT_SIGNAL})],
)
@pytest.mark.parametrize(
    'wrap',
    [
        str.encode,
        lambda text: multipart('#!/bin/sh\n', text),
        lambda text: gzip.compress(multipart(text)),
        lambda text: cloud_config(text).encode(),
        lambda text: multipart(cloud_config(text)),
    ],
    ids=['bare', 'multipart', 'compressed', 'file', 'file in multipart'],
)
def test_a_heat_signal_is_found_with_its_credentials(text, wrap):
    assert user_data.signals(wrap(text)) == [user_data.Signal(HANDLE, credentials=CREDENTIALS)]


def test_a_token_signal_is_found_with_its_token():
    assert user_data.signals(f'#!/bin/sh\n{CURL}\n'.encode()) == [
        user_data.Signal(HANDLE, token='u:q:heat_stack_user')
    ]


@pytest.mark.parametrize(
    'data',
    [
        b'',
        b'\x1f\x8bno gzip',
        b'#cloud-config\n: {',
        b'\xff\xfe',
        b'#cloud-config\nwrite_files: [{encoding: b64, content: "="}]',
    ],
)
def test_hostile_user_data_holds_no_signal(data):
    assert user_data.signals(data) == []


class Heat:
    """Takes signals as Heat's API does, and keeps (token, body)."""

    def __init__(self):
        self.got = queue.Queue()
        self.refusals = 0

    def __call__(self, environ, start_response):
        body = json.loads(environ['wsgi.input'].read())
        if self.refusals:
            self.refusals -= 1
            start_response('500 Busy', [('Content-Length', '0')])
        else:
            self.got.put((environ.get('HTTP_X_AUTH_TOKEN'), body))
            start_response('200 OK', [('Content-Length', '0')])
        return [b'']


@pytest.fixture
def heat():
    heat = Heat()
    server = Server(heat, 0, name='heat')
    heat.url = f'{server.url}/v1/p/stacks/s/1/resources/handle/signal'
    yield heat
    server.close()


@pytest.fixture
def cloud():
    cloud = SimCloud(signal_seconds=0.0)
    server = Server(cloud, 0, name='cloud')
    cloud.url = server.url
    yield cloud
    server.close()


def boot(cloud, heat, name='node-0'):
    """Boot a server whose user data holds a HEAT_SIGNAL with a user the cloud knows."""
    cloud.store.put('stack-users', {'id': 'u', 'name': 'n', 'password': 'p', 'project': 'q'})
    text = json.dumps(
        {**CREDENTIALS, 'auth_url': f'{cloud.url}/identity/v3', 'alarm_url': heat.url}
    )
    create(cloud, name, multipart(text))


def create(cloud, name, user_data):
    """Boot a server with these bytes as its user data."""
    requests.post(
        f'{cloud.url}/compute/v2.1/servers',
        timeout=5,
        json={
            'server': {
                'name': name,
                'flavorRef': '1',
                'user_data': base64.b64encode(user_data).decode(),
            }
        },
    ).raise_for_status()


def test_a_node_buys_a_token_and_signals_success(cloud, heat):
    boot(cloud, heat)
    token, body = heat.got.get(timeout=5)
    assert token == 'u:q:heat_stack_user'
    assert (body['status'], body['id'], body['data']) == ('SUCCESS', 'node-0', '')


def test_a_node_signals_failure_when_told_to(cloud, heat):
    cloud.store.faults.add({'kind': 'signal_failure', 'match': '*-7', 'message': 'stage api'})
    boot(cloud, heat, 'node-7')
    assert heat.got.get(timeout=5)[1]['status'] == 'FAILURE'
    boot(cloud, heat, 'node-8')
    assert heat.got.get(timeout=5)[1]['status'] == 'SUCCESS'


def test_a_silent_node_sends_nothing(cloud, heat):
    cloud.store.faults.add({'kind': 'no_signal', 'match': 'node-0'})
    boot(cloud, heat)
    with pytest.raises(queue.Empty):
        heat.got.get(timeout=0.5)


def test_a_node_asks_again_when_the_engine_is_busy(cloud, heat):
    heat.refusals = 1
    boot(cloud, heat)
    assert heat.got.get(timeout=5)[1]['status'] == 'SUCCESS'


@pytest.mark.parametrize(('status', 'asks'), [('503 Heat is away', 100), ('403 Too early', 59)])
def test_a_node_outlasts_an_outage_and_a_service_that_does_not_know_it_yet(status, asks):
    left = [status] * asks + ['200 OK']

    def service(environ, start_response):
        environ['wsgi.input'].read()
        start_response(left.pop(0), [('Content-Length', '15')])
        return [b'{"secrets": {}}']

    server = Server(service, 0, name='service')
    text = f"ENROLMENT_URL='{server.url}'\nCLUSTER_UUID='c'\n"
    row = {'id': 's', 'name': 'n', '_deleted_at': None, '_user_data': cloud_config(text)}
    while not row.get('_service'):
        with contextlib.suppress(enrolment.Unheard):
            enrolment.enrol(row)
    server.close()
    assert left == [] and row['_service']


def test_nodes_whose_service_is_gone_are_in_no_other_nodes_way(cloud, heat):
    text = cloud_config("ENROLMENT_URL='http://127.0.0.1:1'\nCLUSTER_UUID='c'\n")
    for number in range(20):
        create(cloud, f'lost-{number}', text.encode())
    boot(cloud, heat)
    assert heat.got.get(timeout=10)[1]['status'] == 'SUCCESS'


def test_a_node_that_was_not_up_at_a_restart_comes_up_after_it(cloud, heat, tmp_path):
    cloud.build_seconds = 3600
    boot(cloud, heat)
    cloud.store.save(tmp_path / 'cloud.json')
    again = SimCloud(signal_seconds=0.0)
    again.store.load(tmp_path / 'cloud.json')
    for row in again.store.rows('servers'):
        row['_active_at'] = time.time()
    again.nodes.resume()
    assert heat.got.get(timeout=5)[1]['status'] == 'SUCCESS'
