"""The embedded Heat: a small stack with a wait condition, its faults, and a restart."""

import concurrent.futures
import json
import sqlite3
import time
import uuid

import kombu
import pytest
import requests

from magnum_lite_dev.fixture import HeatDidNotStart, running_heat

HEADERS = {'X-Auth-Token': 'alice:blue:member,reader'}
ENDED = ('CREATE_COMPLETE', 'CREATE_FAILED', 'UPDATE_COMPLETE', 'UPDATE_FAILED')
TEMPLATE = {
    'heat_template_version': 'wallaby',
    'parameters': {'count': {'type': 'number'}},
    'resources': {
        'net': {'type': 'OS::Neutron::Net'},
        'subnet': {
            'type': 'OS::Neutron::Subnet',
            'properties': {'network': {'get_resource': 'net'}, 'cidr': '10.0.0.0/24'},
        },
        'router': {
            'type': 'OS::Neutron::Router',
            'properties': {'external_gateway_info': {'network': 'public'}},
        },
        'interface': {
            'type': 'OS::Neutron::RouterInterface',
            'properties': {
                'router': {'get_resource': 'router'},
                'subnet': {'get_resource': 'subnet'},
            },
        },
        'handle': {
            'type': 'OS::Heat::WaitConditionHandle',
            'properties': {'signal_transport': 'HEAT_SIGNAL'},
        },
        'env': {
            'type': 'OS::Heat::SoftwareConfig',
            'properties': {
                'group': 'ungrouped',
                'config': {
                    'str_replace': {
                        'template': '#cloud-config\nwrite_files:\n- path: /signal\n'
                        "  content: '$signal'\n",
                        'params': {'$signal': {'get_attr': ['handle', 'signal']}},
                    }
                },
            },
        },
        'user_data': {
            'type': 'OS::Heat::MultipartMime',
            'properties': {'parts': [{'config': {'get_resource': 'env'}}]},
        },
        'kube_minions': {
            'type': 'OS::Heat::ResourceGroup',
            'depends_on': 'interface',
            'properties': {
                'count': {'get_param': 'count'},
                'resource_def': {
                    'type': 'OS::Nova::Server',
                    'properties': {
                        'name': 'worker-%index%',
                        'flavor': 'm1.small',
                        'image': 'debian-13',
                        'user_data_format': 'RAW',
                        'networks': [{'subnet': {'get_resource': 'subnet'}}],
                        'user_data_update_policy': 'IGNORE',
                        'user_data': {'get_resource': 'user_data'},
                    },
                },
            },
        },
        'wait': {
            'type': 'OS::Heat::WaitCondition',
            'depends_on': 'kube_minions',
            'properties': {'handle': {'get_resource': 'handle'}, 'count': 1, 'timeout': 60},
        },
    },
    'outputs': {'refs': {'value': {'get_attr': ['kube_minions', 'refs_map']}}},
}


class Stacks:
    """A few calls to Heat's API, as a client without libraries makes them."""

    def __init__(self, heat):
        self.url = heat.catalog['orchestration'] % {'project_id': 'blue'} + '/stacks'

    def create(self, name, count):
        reply = requests.post(
            self.url,
            headers=HEADERS,
            timeout=30,
            json={'stack_name': name, 'template': TEMPLATE, 'parameters': {'count': count}},
        )
        assert reply.status_code == 201, reply.text
        return reply.json()['stack']['id']

    def update(self, name, stack_id, count):
        reply = requests.patch(
            f'{self.url}/{name}/{stack_id}',
            headers=HEADERS,
            timeout=30,
            json={'template': TEMPLATE, 'parameters': {'count': count}},
        )
        assert reply.status_code == 202, reply.text

    def show(self, name):
        reply = requests.get(f'{self.url}/{name}', headers=HEADERS, timeout=30)
        return reply.json().get('stack') if reply.status_code == 200 else None

    def settle(self, name, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            stack = self.show(name)
            if stack is None or stack['stack_status'] in ENDED:
                return stack
            time.sleep(0.2)
        raise AssertionError(f'{name} is still {stack["stack_status"]}')

    def delete(self, name):
        stack = self.show(name)
        requests.delete(f'{self.url}/{name}/{stack["id"]}', headers=HEADERS, timeout=30)
        assert self.settle(name) is None


@pytest.fixture(scope='module')
def state(tmp_path_factory):
    return tmp_path_factory.mktemp('heat')


def test_the_life_of_a_stack_over_a_restart(state):
    with running_heat(state) as heat:
        stacks = Stacks(heat)
        stack_id = stacks.create('life', 2)
        created = stacks.settle('life')
        assert created['stack_status'] == 'CREATE_COMPLETE', created['stack_status_reason']
        assert len(created['outputs'][0]['output_value']) == 2

        # A node that says FAILURE fails the wait condition with its own words.
        heat.fault(kind='signal_failure', match='worker-*', message='stage kubelet')
        stacks.create('bad', 1)
        assert 'stage kubelet' in stacks.settle('bad')['stack_status_reason']
        heat.clear_faults()
        stacks.delete('bad')
        heat.fault(kind='slow', match='worker-*', seconds=3600)
        stacks.create('cut', 1)
        url = heat.heat_url
    with sqlite3.connect(state / 'heat.sqlite') as database:
        (sql,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'table' "
            "AND name = 'resource_properties_data'"
        ).fetchone()
    assert 'AUTOINCREMENT' in sql

    with running_heat(state) as heat:
        assert heat.heat_url == url
        stacks = Stacks(heat)
        assert stacks.show('life')['stack_status'] == 'CREATE_COMPLETE'
        # What the stop cut off says so, instead of being in progress for ever.
        assert stacks.show('cut')['stack_status'] == 'CREATE_FAILED'
        assert 'was stopped' in stacks.show('cut')['stack_status_reason']
        stacks.delete('cut')
        stacks.update('life', stack_id, 3)
        updated = stacks.settle('life')
        assert updated['stack_status'] == 'UPDATE_COMPLETE', updated['stack_status_reason']
        assert len(heat.state()['servers']) == 3
        stacks.delete('life')
        left = heat.state()
        assert [table for table in ('servers', 'routers', 'stack-users') if left.get(table)] == []
        assert [each['name'] for each in left['networks'].values()] == ['public']


def test_a_port_in_use_is_named_in_the_error(tmp_path):
    from magnum_lite_dev.server import Server

    server = Server(lambda environ, start: [], 0, name='squatter')
    try:
        with pytest.raises(HeatDidNotStart, match='Address already in use'):
            with running_heat(tmp_path, port=server.port):
                pass
    finally:
        server.close()


@pytest.mark.rabbitmq
def test_heat_tells_a_broker_of_the_end_of_a_stack(tmp_path, rabbitmq_url):
    topic = f'test_{uuid.uuid4().hex}'
    with (
        running_heat(tmp_path, transport_url=rabbitmq_url, topics=topic) as heat,
        kombu.Connection(rabbitmq_url.replace('rabbit://', 'amqp://')) as broker,
    ):
        stacks = Stacks(heat)
        stacks.create('told', 1)
        stacks.settle('told')
        channel = broker.channel()
        heard = []
        while 'orchestration.stack.create.end' not in heard:
            message = channel.basic_get(f'{topic}.info', no_ack=True)
            assert message, heard
            envelope = json.loads(message.body)
            heard.append(json.loads(envelope['oslo.message'])['event_type'])
        channel.queue_delete(f'{topic}.info')


def test_many_stacks_at_once_are_read_as_they_are(embedded_heat):
    resources = {
        f'value{number}': {
            'type': 'OS::Heat::Value',
            'properties': {
                'value': {
                    'yaql': {
                        'expression': 'let(a => coalesce($.data, [])) -> ($a + ["x"]).first()',
                        'data': ['b'],
                    }
                }
            },
        }
        for number in range(40)
    }
    body = {'template': {'heat_template_version': 'wallaby', 'resources': resources}}
    url = embedded_heat.catalog['orchestration'] % {'project_id': 'blue'} + '/stacks/preview'

    def told(number):
        named = {**body, 'stack_name': f'many-{number}'}
        return requests.post(url, json=named, headers=HEADERS, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        refused = [reply.text for reply in pool.map(told, range(32)) if reply.status_code != 200]
    assert refused == []
