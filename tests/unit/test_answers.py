"""What answers of Heat mean, on the wire: what may pass is not fatal, nothing drips for ever."""

import errno
import socket

import pytest

from magnum_lite.certs.authority import make
from magnum_lite.cloud import identity, transport
from magnum_lite.cloud.heat import Heat
from magnum_lite.cloud.keystone import Keystone
from magnum_lite.cloud.lookups import Lookups, Memory
from magnum_lite.context import RequestContext
from magnum_lite.driver_sdk import CloudError, CloudUnavailable
from magnum_lite.driver_sdk.errors import Unanswered
from magnum_lite.exceptions import Unavailable
from tests.fixtures import forget_conf, make_conf
from tests.rude import drips, hangs_up, resets, rude, says, secured

WHO = {'mode': 'none', 'user_id': 'ann', 'project_id': 'red', 'roles': ['member']}
STACK = {
    'id': 'i1',
    'stack_name': 's',
    'stack_status': 'CREATE_COMPLETE',
    'stack_status_reason': 'ok',
    'tags': ['cluster:c1'],
    'outputs': [],
    'parameters': {},
}
ARGUMENTS = {'template': '{}', 'files': {}, 'environment': {}, 'parameters': {}, 'timeout_min': 5}
NOTHING = {'error': {'message': None}}


@pytest.fixture
def heat_of(tmp_path):
    """A function from the actions of a server to Heat's client, and the server."""
    running = []

    def start(*actions, scheme='http', timeout_s=20):
        context = rude(*actions)
        server = context.__enter__()
        running.append(context)
        conf = make_conf(
            tmp_path,
            service_auth={'insecure': True},
            catalog={'orchestration': f'{scheme}://127.0.0.1:{server.port}'},
            cloud={'heat_timeout_s': timeout_s},
        )
        return Heat(conf, identity.session(conf, WHO, timeout_s=timeout_s)), server

    yield start
    for context in running:
        context.__exit__(None, None, None)
    forget_conf()


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
    'first', [says(409, {'error': {'message': 'exists'}}), resets, says(201, b'{"sta')]
)
def test_a_stack_of_ours_that_exists_counts_as_made(heat_of, first):
    heat, server = heat_of(first, says(200, {'stack': STACK}))
    assert heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1']) == 'i1'
    assert [line.split()[0] for line in server.requests] == ['POST', 'GET']


def test_a_process_that_is_to_stop_begins_no_call(heat_of):
    heat, server = heat_of(says(200, {'stacks': []}))
    with transport.Gate(lambda: len(server.requests) == 1) as gate:
        heat.list('magnum_lite')
        for call, argument in ((heat.list, 'magnum_lite'), (heat.delete, 'i1')):
            with pytest.raises(transport.Stopped):
                call(argument)
        assert gate.refused and len(server.requests) == 1
    heat.list('magnum_lite')


def test_a_lost_answer_stays_one_though_the_look_after_it_fails(heat_of):
    """It tells that a stack may be made later: see ``ledger.late``."""
    heat, server = heat_of(resets, says(503, b''))
    with pytest.raises(Unanswered, match='broke off'):
        heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1'])
    assert [line.split()[0] for line in server.requests] == ['POST', 'GET']


def test_a_stack_of_others_that_has_the_name_is_named(heat_of):
    heat, _ = heat_of(says(409, NOTHING), says(200, {'stack': {**STACK, 'tags': ['theirs']}}))
    with pytest.raises(CloudError, match='a stack s already') as caught:
        heat.create('s', ARGUMENTS, ['magnum_lite', 'cluster:c1'])
    assert not isinstance(caught.value, CloudUnavailable)


def test_an_update_of_a_stack_that_is_not_found_is_taken_again(heat_of):
    heat, _ = heat_of(says(404, {'error': {'message': 'no stack s'}}))
    with pytest.raises(CloudUnavailable, match='404 Not Found: no stack s'):
        heat.update('i1', ARGUMENTS, ['cluster:c1'])


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
        context.token_auth = identity.development_plugin(conf, 'ann', 'red', ['member'])
        with pytest.raises(Unavailable), Keystone(conf).of_caller(context) as keystone:
            keystone.get('/OS-TRUST/trusts/1').json()
    forget_conf()
