"""Requests while services of the cloud hang: accepted, or refused by those that answer."""

import contextlib
import socket
import time

import pytest
from oslo_config import cfg

from magnum_lite.db import store
from magnum_lite.objects import DriverVersion
from tests import fixtures, rude

HANGS_S = 60  # what one call to a hung service may take
# In which a service that answers does so on a busy machine; each request takes it all.
ANSWERS_S = 8

VERSION = {
    'version': {
        'id': 'v2.1',
        'status': 'CURRENT',
        'version': '2.90',
        'min_version': '2.1',
        'links': [],
    }
}


@pytest.fixture
def hung():
    """URL of a service that takes connections and never answers."""
    with socket.create_server(('127.0.0.1', 0), backlog=100) as listening:
        yield f'http://127.0.0.1:{listening.getsockname()[1]}'


@contextlib.contextmanager
def soon():
    """Fails where the block takes as long as one call to a hung service."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < HANGS_S


@pytest.fixture
def api_where(tmp_path, heat):
    """A context manager of the service, with other URLs of some services of the cloud."""

    def make(budget_s=0.5, **services):
        conf = fixtures.make_conf(
            tmp_path,
            catalog={**heat.catalog, **services},
            cloud={'lookup_budget_s': budget_s, 'lookup_timeout_s': HANGS_S, 'lookup_cache_s': 0},
        )
        return fixtures.service(conf)

    yield make
    fixtures.forget_conf()


def test_hung_services_take_one_budget_together(api_where, hung):
    with api_where(compute=hung, image=hung, network=hung) as api, soon():
        template = api.template(fixed_network='private', fixed_subnet='private')
        cluster = api.cluster(template, keypair='demo')
        assert api.ok('GET', f'/v1/clusters/{cluster}')['status'] == 'CREATE_IN_PROGRESS'


@pytest.mark.parametrize(
    ('services', 'values', 'attribute'),
    [
        (('compute', 'network'), {'image_id': 'none'}, 'image_id'),
        (('compute', 'image'), {'external_network_id': 'none'}, 'external_network_id'),
    ],
)
def test_a_service_that_answers_is_heard_while_others_hang(
    api_where, hung, services, values, attribute
):
    with api_where(ANSWERS_S, **dict.fromkeys(services, hung)) as api, soon():
        error = api.refused(
            400,
            'POST',
            '/v1/clustertemplates',
            {
                'coe': 'kubernetes',
                'image_id': 'debian-13',
                'flavor_id': 'm1.small',
                'external_network_id': 'public',
                **values,
            },
        )
        assert error['detail'].startswith(f'Invalid input for {attribute}: none could not')


def test_what_is_looked_at_last_is_heard_while_others_hang(api_where, hung):
    with api_where(ANSWERS_S, image=hung, network=hung) as api, soon():
        error = api.refused(
            404, 'POST', '/v1/clusters', {'cluster_template_id': api.template(), 'keypair': 'none'}
        )
        assert error['detail'].startswith('Keypair none')


def test_a_hung_service_keeps_no_other_request_from_one_that_answers(api_where, hung):
    with api_where(network=hung) as api, soon():
        for number in range(12):  # more than threads that may wait for one service
            template = api.template(name=f't{number}')
        cfg.CONF.set_override('lookup_budget_s', ANSWERS_S, 'cloud')
        assert api.refused(
            400, 'POST', '/v1/clusters', {'cluster_template_id': template, 'flavor_id': 'none'}
        )['title'].startswith('Invalid')


@pytest.mark.parametrize('length', [None, 100])
def test_half_a_document_lets_a_request_in(api_where, length):
    """As long as it says, or cut short."""

    def answer(server, client):
        is_discovery = b'/flavors' not in client.recv(65536, socket.MSG_PEEK)
        part = rude.says(200, VERSION) if is_discovery else rude.says(200, b'{"flavors": ', length)
        part(server, client)

    with rude.rude(answer) as half, api_where(compute=f'http://127.0.0.1:{half.port}/v2.1') as api:
        api.cluster(api.template())
        assert any('/flavors' in request for request in half.requests)


def test_a_template_gets_no_image_that_its_driver_cannot_boot(api):
    api.db.write(store.update, DriverVersion, {'distros': ['debian']}, name='kubernetes')
    path = f'/v1/clustertemplates/{api.template()}'
    error = api.refused(
        400, 'PATCH', path, [{'op': 'replace', 'path': '/image_id', 'value': 'ubuntu-24.04'}]
    )
    assert 'from images of ubuntu' in error['title']
    assert api.ok('GET', path)['image_id'] == 'debian-13'
