"""Requests while services of the cloud hang: accepted, or refused by those that answer."""

import socket
import threading
import time

import pytest

from tests import fixtures

HANGS_S = 60        # what one call to a hung service may take


@pytest.fixture
def hung():
    """URL of a service that takes connections and never answers."""
    with socket.create_server(('127.0.0.1', 0), backlog=100) as listening:
        yield f'http://127.0.0.1:{listening.getsockname()[1]}'


@pytest.fixture
def api_where(tmp_path, heat):
    """A context manager of the service, with other URLs of some services of the cloud."""
    def make(**services):
        conf = fixtures.make_conf(
            tmp_path, catalog={**heat.catalog, **services},
            cloud={'lookup_budget_s': 0.5, 'lookup_timeout_s': HANGS_S, 'lookup_cache_s': 0})
        return fixtures.service(conf)
    yield make
    fixtures.forget_conf()


def test_hung_services_take_one_budget_together(api_where, hung):
    with api_where(compute=hung, image=hung, network=hung) as api:
        began = time.monotonic()
        template = api.template(fixed_network='private', fixed_subnet='private')
        cluster = api.cluster(template, keypair='demo')
        # One call alone would take longer than both requests.
        assert time.monotonic() - began < HANGS_S
        assert api.ok('GET', f'/v1/clusters/{cluster}')['status'] == 'CREATE_IN_PROGRESS'


@pytest.mark.parametrize(('services', 'values', 'attribute'), [
    (('compute', 'network'), {'image_id': 'none'}, 'image_id'),
    (('image', 'network'), {'flavor_id': 'none'}, 'flavor_id'),
    (('compute', 'image'), {'external_network_id': 'none'}, 'external_network_id')])
def test_a_service_that_answers_is_heard_while_others_hang(api_where, hung, services, values,
                                                           attribute):
    with api_where(**dict.fromkeys(services, hung)) as api:
        error = api.refused(400, 'POST', '/v1/clustertemplates', {
            'coe': 'kubernetes', 'image_id': 'debian-13', 'flavor_id': 'm1.small',
            'external_network_id': 'public', **values})
        assert error['detail'].startswith(f'Invalid input for {attribute}: none could not')


def test_a_hung_service_keeps_no_other_request_from_one_that_answers(api_where, hung):
    with api_where(network=hung) as api:
        for number in range(12):        # more than threads that may wait for one service
            template = api.template(name=f't{number}')
        assert api.refused(400, 'POST', '/v1/clusters', {
            'cluster_template_id': template, 'flavor_id': 'none'})['title'].startswith('Invalid')


def test_half_a_document_lets_a_request_in(api_where):
    with socket.create_server(('127.0.0.1', 0), backlog=100) as listening:
        def answer():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
                                       b'Content-Length: 12\r\n\r\n{"flavors": ')
        threading.Thread(target=answer, daemon=True).start()
        url = f'http://127.0.0.1:{listening.getsockname()[1]}'
        with api_where(compute=url) as api:
            api.cluster(api.template())
        listening.shutdown(socket.SHUT_RDWR)
