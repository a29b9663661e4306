"""What answers of Heat mean, on the wire: what may pass is not fatal, nothing drips for ever."""

import errno
import socket
import time

import pytest

from magnum_lite.certs.authority import make
from magnum_lite.cloud import transport
from magnum_lite.cloud.keystone import Keystone
from magnum_lite.cloud.lookups import Lookups, Memory
from magnum_lite.context import RequestContext, development_plugin
from magnum_lite.driver_sdk import Cause, CloudError, CloudUnavailable
from magnum_lite.driver_sdk.errors import Unanswered
from magnum_lite.exceptions import Unavailable
from tests.fixtures import forget_conf, make_conf
from tests.rude import drips, hangs_up, resets, rude, says, secured
from tests.unit.rude_heat import ARGUMENTS, NOTHING, STACK


@pytest.mark.parametrize('part', ['headers', 'body'])
def test_an_answer_that_drips_is_cut_at_the_timeout(heat_of, part):
    heat, _ = heat_of(drips(200, {'stacks': [STACK]}, part), timeout_s=1)
    with pytest.raises(CloudUnavailable, match='Heat did not answer in time'):
        heat.list('magnum_lite')


@pytest.mark.filterwarnings('ignore::urllib3.exceptions.InsecureRequestWarning')
def test_over_tls_an_answer_that_drips_is_cut_and_a_whole_one_is_read(heat_of, tmp_path):
    authority = make('heat', key_type='ec-p256', days=1)
    file = tmp_path / 'heat.pem'
    file.write_text(authority.key + authority.pem)
    whole = {'stacks': [{**STACK, 'stack_status_reason': 'x' * 300_000}]}
    heat, _ = heat_of(
        *(secured(action, file) for action in (says(200, whole), drips(200, whole, 'body'))),
        scheme='https',
        timeout_s=5,
    )
    assert len(heat.list('magnum_lite')[0].reason) == 300_000
    with pytest.raises(CloudUnavailable, match='Heat did not answer in time'):
        heat.list('magnum_lite')


def test_several_calls_of_one_method_have_the_timeout_together(heat_of):
    heat, server = heat_of(says(409, NOTHING), drips(200, {'stack': STACK}, 'body'), timeout_s=1)
    with pytest.raises(CloudUnavailable, match='did not answer in time'):
        heat.create('s', ARGUMENTS, ['cluster:c1'])
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ('action', 'sentence'),
    [
        (resets, 'the connection to Heat broke off before its answer was complete'),
        (hangs_up, 'the connection to Heat broke off before its answer was complete'),
        (says(200, b'{"stacks": [{"id": "i'), 'the answer of Heat cannot be read'),
        (says(200, {'stacks': [STACK]}, length=9999), 'the connection to Heat broke off'),
        (says(200, b'<html>Welcome</html>'), 'the answer of Heat cannot be read'),
        (says(200, {'stacks': None}), 'the answer of Heat cannot be read'),
        (
            says(200, {'stacks': [{**STACK, 'stack_status': None}]}),
            'the answer of Heat cannot be read',
        ),
        (says(200, {'stacks': [{'id': 'i1'}]}), 'the answer of Heat cannot be read'),
        (says(503, b''), 'Heat answered 503 Service Unavailable'),
        (says(503, NOTHING), 'Heat answered 503 Service Unavailable'),
        (says(502, b'<html>Bad gateway</html>'), 'Heat answered 502 Bad Gateway'),
        (
            says(500, {'error': {'message': 'Internal'}}),
            'Heat answered 500 Internal Server Error: Internal',
        ),
        (says(429, b''), 'Heat answered 429 Too Many Requests'),
        (says(404, b''), 'Heat answered 404 Not Found'),
        (says(418, b''), "Heat answered 418 I'm a Teapot"),
        (says(499, b''), 'Heat answered 499'),
    ],
)
def test_what_may_pass_is_retried_and_said_in_a_sentence(heat_of, action, sentence):
    heat, _ = heat_of(action)
    with pytest.raises(CloudUnavailable) as caught:
        heat.list('magnum_lite')
    assert str(caught.value).startswith(sentence) and 'None' not in str(caught.value)


@pytest.mark.parametrize(
    ('error', 'sentence'),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, 'refused'), 'Heat refused the connection'),
        (OSError(errno.EHOSTUNREACH, 'No route to host'), 'there is no connection to Heat'),
        (socket.gaierror(socket.EAI_NONAME, 'unknown'), 'the host of Heat has no address now'),
    ],
)
def test_a_call_that_reached_nobody_is_no_lost_one(heat_of, monkeypatch, error, sentence):
    """It makes nothing late: the deletion of the cluster need not wait for that."""
    heat, _ = heat_of()

    def connect(*args, **kwargs):
        raise error

    monkeypatch.setattr('urllib3.util.connection.create_connection', connect)
    with pytest.raises(CloudUnavailable) as caught:
        heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1'])
    assert str(caught.value) == sentence and not isinstance(caught.value, Unanswered)


def test_a_tls_handshake_that_ends_is_retried(heat_of):
    heat, _ = heat_of(hangs_up, scheme='https')
    with pytest.raises(CloudUnavailable, match='the TLS connection to Heat failed'):
        heat.list('magnum_lite')


def test_a_refusal_is_for_good_and_in_the_words_of_heat(heat_of):
    heat, _ = heat_of(says(400, {'error': {'message': 'no such flavor'}}))
    with pytest.raises(CloudError, match='Heat answered 400 Bad Request: no such flavor') as caught:
        heat.create('s', ARGUMENTS, ['cluster:c1'])
    assert not isinstance(caught.value, CloudUnavailable)


@pytest.mark.parametrize(
    'message',
    [
        'HTTPInternalServerError: resources.kube_minions<nested_stack>.resources[0]: HTTP Internal '
        'Server Error',
        'ClientException: resources.kube_minions.resources[0]: Unknown Error (HTTP 500)',
        'ServiceUnavailable: resources.network: away',
        'ConnectFailure: resources.node: Unable to establish connection to https://nova.example.org',
        'HttpException: resources.port: HttpException: 502: Server Error for url: https://neutron',
        'HEAT-E99001 Service neutron is not available for resource type OS::Neutron::Port, '
        'reason: Internal Server Error\n\nThe server encountered an error\n\n(made by a server)',
    ],
)
def test_a_refusal_of_heat_since_a_service_behind_it_was_away_is_retried(heat_of, message):
    heat, _ = heat_of(says(400, {'error': {'message': message}}))
    with pytest.raises(CloudUnavailable) as caught:
        heat.update('i1', ARGUMENTS, ['cluster:c1'])
    assert str(caught.value) == f'Heat answered 400 Bad Request: {message}'


@pytest.mark.parametrize(
    'message',
    [
        'StackValidationFailed: Property error: resources.a: no flavor InternalServerError: x',
        'Forbidden: resources.node: Quota exceeded for instances (HTTP 403)',
        'HEAT-E99001 Service octavia is not available for resource type OS::Octavia::LoadBalancer, '
        'reason: load-balancer endpoint is not in service catalog.',
    ],
)
def test_no_other_words_of_heat_make_a_refusal_an_outage(heat_of, message):
    heat, _ = heat_of(says(400, {'error': {'message': message}}))
    with pytest.raises(CloudError) as caught:
        heat.update('i1', ARGUMENTS, ['cluster:c1'])
    assert not isinstance(caught.value, CloudUnavailable)


def test_a_process_that_is_to_stop_begins_no_call(heat_of):
    heat, server = heat_of(says(200, {'stacks': []}))
    with transport.Gate(lambda: len(server.requests) == 1) as gate:
        heat.list('magnum_lite')
        for call, argument in ((heat.list, 'magnum_lite'), (heat.delete, 'i1')):
            with pytest.raises(transport.Stopped):
                call(argument)
        assert gate.refused and len(server.requests) == 1
    heat.list('magnum_lite')


def test_a_clock_that_is_set_back_holds_up_no_call(heat_of, monkeypatch):
    heat, _ = heat_of(says(200, {'stacks': []}))
    heat.list('magnum_lite')
    before = time.time() - 900
    slept = []
    monkeypatch.setattr(time, 'time', lambda: before)
    monkeypatch.setattr(time, 'sleep', slept.append)
    heat.list('magnum_lite')
    assert slept == []


def test_what_failed_inside_a_stack_is_told_as_data_the_cause_first(heat_of):
    def failed(name, kind, reason, **more):
        return {
            'resource_name': name,
            'resource_type': kind,
            'resource_status': 'CREATE_FAILED',
            'resource_status_reason': reason,
            'updated_time': '2026-01-02T03:04:05Z',
            'physical_resource_id': 'made',
            'links': [],
            **more,
        }

    heat, _ = heat_of(
        says(
            200,
            {
                'resources': [
                    failed('nodes', 'OS::Heat::ResourceGroup', 'a member failed'),
                    failed('0', 'OS::Nova::Server', 'no valid host', parent_resource='nodes'),
                    failed('well', 'OS::Neutron::Net', '') | {'resource_status': 'CREATE_COMPLETE'},
                ]
            },
        )
    )
    assert heat.failures('i1') == [
        Cause(
            'nodes/0',
            'OS::Nova::Server',
            'CREATE_FAILED',
            'no valid host',
            '2026-01-02T03:04:05Z',
            'made',
        ),
        Cause(
            'nodes',
            'OS::Heat::ResourceGroup',
            'CREATE_FAILED',
            'a member failed',
            '2026-01-02T03:04:05Z',
        ),
    ]


UNTOLD = {
    'resources': [
        {
            'resource_name': 'node',
            'resource_type': 'OS::Nova::Server',
            'links': [],
            'resource_status': 'CREATE_FAILED',
            'resource_status_reason': '',
            'updated_time': '2026-01-02T03:04:05Z',
            'physical_resource_id': 'made',
        }
    ]
}


def test_a_heat_that_shows_nobody_its_events_tells_what_its_resources_say(heat_of):
    heat, server = heat_of(says(200, UNTOLD), says(403, NOTHING))
    assert [(cause.resource, cause.reason) for cause in heat.failures('i1')] == [('node', '')]
    assert '/events?limit=1000&nested_depth=5&sort_dir=desc' in server.requests[1]


def test_a_heat_whose_events_do_not_come_is_asked_again(heat_of):
    heat, _ = heat_of(says(200, UNTOLD), says(503, NOTHING))
    with pytest.raises(CloudUnavailable):
        heat.failures('i1')


@pytest.mark.parametrize(
    'action',
    [says(200, b'{"images": [{"id'), says(200, b'[]'), resets, drips(200, {'images': []}, 'body')],
)
def test_a_look_up_that_cannot_be_read_lets_the_request_in(tmp_path, action):
    with rude(action) as server:
        conf = make_conf(
            tmp_path,
            cloud={'lookup_timeout_s': 1},
            catalog={'image': f'http://127.0.0.1:{server.port}/v2'},
        )
        context = RequestContext(user_id='ann', project_id='red', roles=['member'], overwrite=False)
        context.token_auth = development_plugin(conf, 'ann', 'red', ['member'])
        with Lookups(conf, context, Memory(0)) as lookups:
            assert lookups.image('debian-13') is None
    forget_conf()


@pytest.mark.parametrize(
    'action', [says(200, b'{"trust": {"id'), resets, drips(200, {'trust': {}}, 'headers')]
)
def test_a_keystone_that_cannot_be_read_is_unavailable(tmp_path, action):
    with rude(action) as server:
        conf = make_conf(
            tmp_path,
            cloud={'lookup_timeout_s': 1},
            catalog={'identity': f'http://127.0.0.1:{server.port}/v3'},
        )
        context = RequestContext(user_id='ann', project_id='red', overwrite=False)
        context.token_auth = development_plugin(conf, 'ann', 'red', ['member'])
        with pytest.raises(Unavailable), Keystone(conf).of_caller(context) as keystone:
            keystone.get('/OS-TRUST/trusts/1').json()
    forget_conf()
