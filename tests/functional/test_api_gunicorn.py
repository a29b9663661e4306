"""Requests one after the other on one connection to a real gunicorn: an answer that comes before
its request was read does not cost the next one."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from magnum_lite.db import migrate
from magnum_lite_dev.state import free_port
from tests import fixtures

KIB = 1024
JSON = {'Content-Type': 'application/json'}
ALICE = {'X-Auth-Token': 'alice:red'}


@pytest.fixture(scope='module')
def port(tmp_path_factory):
    """Of a gunicorn with one worker and two threads, as operators start it."""
    folder = tmp_path_factory.mktemp('gunicorn')
    migrate.upgrade(fixtures.make_conf(folder))
    fixtures.forget_conf()
    port = free_port()
    with (folder / 'log').open('w') as log:
        process = subprocess.Popen(
            [
                Path(sys.executable).parent / 'gunicorn',
                '--threads',
                '2',
                '--worker-class',
                'gthread',
                '--keep-alive',
                '75',
                '--no-control-socket',
                '--bind',
                f'127.0.0.1:{port}',
                'magnum_lite.api.wsgi:application',
            ],
            env={**os.environ, 'OS_MAGNUM_LITE_CONFIG_FILES': str(folder / 'magnum-lite.conf')},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port, folder / 'log')
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


@pytest.fixture
def connection(port):
    """A connection; a second one would hide that the first was closed."""
    connection = HTTPConnection('127.0.0.1', port, timeout=30)
    connection.connect()
    connection.auto_open = 0
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ('status', 'method', 'path', 'headers', 'size'),
    [
        (413, 'POST', '/v1/clusters', {**ALICE, **JSON}, 113 * KIB),
        (413, 'POST', '/v1/clusters', {**ALICE, **JSON}, 3 * KIB * KIB),
        (413, 'PATCH', '/v1/quotas/red/Cluster', {**ALICE, **JSON}, KIB * KIB),
        (401, 'POST', '/v1/clusters', JSON, 100 * KIB),
        (404, 'POST', '/v1/nothing', {**ALICE, **JSON}, 100 * KIB),
        (405, 'PUT', '/v1/clusters', {**ALICE, **JSON}, 100 * KIB),
        (415, 'POST', '/v1/clusters', {**ALICE, 'Content-Type': 'text/plain'}, 100 * KIB),
        (200, 'GET', '/v1/clusters', {**ALICE, **JSON}, 100 * KIB),
    ],
)
@pytest.mark.parametrize('is_chunked', [False, True], ids=['sized', 'chunked'])
def test_the_next_request_is_answered(connection, status, method, path, headers, size, is_chunked):
    body = iter([b'x' * KIB] * (size // KIB)) if is_chunked else b'x' * size
    connection.request(method, path, body, headers, encode_chunked=is_chunked)
    reply = connection.getresponse()
    assert (reply.status, bool(reply.read())) == (status, True)
    connection.request('GET', '/v1/clusters', headers=ALICE)
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b'{"clusters": []}')


@pytest.mark.parametrize(('headers', 'status'), [(ALICE, 400), ({}, 401)])
def test_each_request_is_logged_by_its_id(connection, tmp_path_factory, headers, status):
    connection.request('GET', f'/v1/clusters/gone-{status}?fields=name', headers=headers)
    reply = connection.getresponse()
    reply.read()
    assert reply.status == status
    ident = reply.headers['X-OpenStack-Request-ID']
    log = next(tmp_path_factory.getbasetemp().glob('gunicorn*/log'))
    found = [line for line in log.read_text().splitlines() if f'/v1/clusters/gone-{status}' in line]
    assert len(found) == 1 and ident in found[0]
    assert f'"GET /v1/clusters/gone-{status}" status: {status} time: ' in found[0]


def test_who_announces_a_body_and_sends_none_holds_no_thread(connection, port):
    silent = [HTTPConnection('127.0.0.1', port, timeout=30) for _ in range(2)]
    for each in silent:
        each.putrequest('POST', '/v1/clusters')
        each.putheader('Content-Length', str(100 * KIB))
        each.endheaders()
        assert each.getresponse().status == 401
    connection.request('GET', '/v1')
    assert connection.getresponse().status == 200
    for each in silent:
        each.close()


def _wait_for(port, log):
    until = time.monotonic() + 60
    while True:
        assert time.monotonic() < until, log.read_text()
        with (
            contextlib.suppress(OSError),
            contextlib.closing(HTTPConnection('127.0.0.1', port, timeout=5)) as probe,
        ):
            probe.request('GET', '/healthcheck')
            if probe.getresponse().status == 200:
                return
        time.sleep(0.2)
