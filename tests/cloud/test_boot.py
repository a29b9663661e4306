"""The cloud itself: Heat makes a server, and what runs on it is asked for."""

import json
import time

import pytest

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.filterwarnings('ignore::openstack.warnings.RemovedInSDK60Warning'),
]
TEMPLATE = {
    'heat_template_version': 'wallaby',
    'resources': {
        'network': {'type': 'OS::Neutron::Net'},
        'subnet': {
            'type': 'OS::Neutron::Subnet',
            'properties': {'network': {'get_resource': 'network'}, 'cidr': '10.0.0.0/24'},
        },
        'server': {
            'type': 'OS::Nova::Server',
            'depends_on': 'subnet',
            'properties': {
                'flavor': 'm1.small',
                'image': 'debian-13',
                'availability_zone': 'zone-2',
                'networks': [{'network': {'get_resource': 'network'}}],
            },
        },
    },
    'outputs': {'address': {'value': {'get_attr': ['server', 'first_address']}}},
}


@pytest.fixture
def stack(owner):
    """Calls a stack of the owner's in Heat: (method, further path, body) to a document."""
    heat = {'endpoint_filter': {'service_type': 'orchestration'}}

    def call(method, path='', body=None):
        reply = owner.session.request(f'/stacks{path}', method, json=body, **heat)
        return reply.json() if reply.content else None

    return call


def test_heat_boots_a_server_in_a_zone_and_takes_it_away(owner, stack):
    stack('POST', '', {'stack_name': 's', 'template': TEMPLATE, 'timeout_mins': 5})
    shown = wait(stack, 'CREATE_COMPLETE')
    (server,) = owner.servers().values()
    assert (server.status, server.availability_zone) == ('ACTIVE', 'zone-2')
    assert shown['outputs'][0]['output_value'].startswith('10.0.0.')
    stack('DELETE', f'/s/{shown["id"]}')
    until = time.monotonic() + 120
    while owner.leftovers():
        assert time.monotonic() < until, owner.leftovers()
        time.sleep(0.5)


def wait(stack, status):
    """The stack, once it is no longer in progress."""
    until = time.monotonic() + 120
    while (shown := stack('GET', '/s')['stack'])['stack_status'].endswith('IN_PROGRESS'):
        assert time.monotonic() < until, json.dumps(shown)
        time.sleep(0.5)
    assert shown['stack_status'] == status, shown['stack_status_reason']
    return shown
