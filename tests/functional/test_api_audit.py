"""Who did what to which cluster, as listeners of notifications are told."""

import time

import pytest
import webob
from keystonemiddleware import audit
from oslo_messaging.notify import _impl_test as sent
from pycadf import cadftaxonomy

from magnum_lite.db import outbox
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.tiny import Tiny
from tests import fixtures

MAP = 'etc/magnum_lite/api_audit_map.conf'
# pycadf warns of ids that are none of Keystone's.
IDS = pytest.mark.filterwarnings('ignore:Invalid uuid')
ADMIN = 'root:blue:admin'


@pytest.fixture(autouse=True)
def no_old_notifications():
    """None of another test."""
    sent.reset()
    yield
    sent.reset()


@pytest.fixture
def whole(tmp_path, heat):
    """The service with a worker that sends to where a test can look."""
    conf = fixtures.make_conf(
        tmp_path,
        catalog=heat.catalog,
        conductor={'heartbeat_s': 0.5},
        oslo_messaging_notifications={'driver': 'test'},
    )
    with fixtures.working(conf, Tiny()) as running:
        yield running
    fixtures.forget_conf()


def request_id(response):
    """The id of an accepted request."""
    assert response.status_int < 300, response.text
    return response.headers['X-Openstack-Request-Id']


def wait_for(condition, within_s=PATIENCE_S):
    """Once it is so."""
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, sent.NOTIFICATIONS
        time.sleep(0.05)


def events(api):
    """Event types and payloads that wait to be sent."""
    with api.db.read() as connection:
        return [
            (row.event_type.removeprefix('magnum_lite.cluster.'), row.payload)
            for row in outbox.unsent(connection, limit=99)
        ]


def test_every_operation_is_told_of_twice_and_no_more(whole):
    whole.template(coe='tiny')
    path = f'/v1/clusters/{whole.cluster("small")}'
    wait_for(lambda: whole.ok('GET', path)['status'] == 'CREATE_COMPLETE')
    resize = request_id(whole.call('POST', f'{path}/actions/resize', {'node_count': 2}))
    wait_for(lambda: whole.ok('GET', path)['status'] == 'UPDATE_COMPLETE')
    whole.ok('PATCH', path, [{'op': 'replace', 'path': '/health_status', 'value': 'HEALTHY'}])
    operations = whole.ok('GET', f'{path}/operations')['operations']
    delete = request_id(whole.call('DELETE', path, token=ADMIN))
    wait_for(lambda: whole.call('GET', path).status_int == 404)
    wait_for(lambda: len(sent.NOTIFICATIONS) == 6)
    time.sleep(1.5)  # several heartbeats: none is sent twice
    told = [message for _, message, _, _ in sent.NOTIFICATIONS]
    assert [message['event_type'].removeprefix('magnum_lite.cluster.') for message in told] == [
        'create.start',
        'create.end',
        'resize.start',
        'resize.end',
        'delete.start',
        'delete.end',
    ]
    payloads = [message['payload'] for message in told]
    assert len({payload['id'] for payload in payloads}) == 6
    assert [payload['outcome'] for payload in payloads] == ['pending', 'success'] * 3
    assert [payload['action'] for payload in payloads[::2]] == ['create', 'update', 'delete']
    assert {payload['target']['id'] for payload in payloads} == {path.rpartition('/')[2]}
    assert {payload['target']['project_id'] for payload in payloads} == {'red'}
    by_alice = {'id': 'alice', 'project_id': 'red'}
    for number, who in (
        (0, {**by_alice, 'request_id': operations[0]['request_id']}),
        (2, {**by_alice, 'request_id': resize}),
        (4, {'id': 'root', 'project_id': 'blue', 'request_id': delete}),
    ):
        for payload in payloads[number : number + 2]:
            assert who.items() <= payload['initiator'].items()


def test_what_a_deletion_overtakes_is_told_of(configured):
    with configured() as api:
        path = f'/v1/clusters/{api.cluster(api.template())}'
        api.ok('DELETE', path)
        api.ok('DELETE', path)
        assert [event for event, _ in events(api)] == [
            'create.start',
            'create.error',
            'delete.start',
        ]
        overtaken = events(api)[1][1]
        assert overtaken['outcome'] == 'failure'
        assert overtaken['reason']['reasonCode'] == 'overtaken'


def test_changes_that_wait_and_become_one_are_each_told_of(configured):
    with configured() as api:
        cluster = api.cluster(api.template())
        api.settle(cluster)
        path = f'/v1/clusters/{cluster}/actions/resize'
        asked = [
            request_id(api.call('POST', path, {'node_count': count}, token=f'{user}:red'))
            for user, count in (('alice', 2), ('bob', 3), ('carol', 4))
        ]
        starts = [payload for event, payload in events(api) if event == 'resize.start']
        assert [
            (payload['initiator']['id'], payload['initiator']['request_id']) for payload in starts
        ] == list(zip(('alice', 'bob', 'carol'), asked, strict=True))
        operations = [payload['attachments'][0]['content']['uuid'] for payload in starts]
        assert operations[0] != operations[1] == operations[2]


def test_events_are_in_the_words_of_cadf(configured):
    with configured() as api:
        api.ok('DELETE', f'/v1/clusters/{api.cluster(api.template())}')
        for _, payload in events(api):
            assert cadftaxonomy.is_valid_action(payload['action'])
            assert cadftaxonomy.is_valid_outcome(payload['outcome'])
            for part in ('initiator', 'target', 'observer'):
                assert cadftaxonomy.is_valid_resource(payload[part]['typeURI'])


@IDS
def test_refused_requests_are_told_of_by_the_audit_middleware_alone(configured):
    on = {
        'audit': {'enabled': 'true', 'map_file': MAP, 'ignore_methods': 'GET'},
        'audit_middleware_notifications': {'driver': 'test'},
    }
    with configured(**on) as api:
        api.ok('GET', '/v1/clusters')
        api.ok('GET', '/')
        api.refused(
            403,
            'POST',
            '/v1/clustertemplates',
            {'coe': 'kubernetes', 'image_id': 'x'},
            token='alice:red:none',
        )
        told = [message for _, message, _, _ in sent.NOTIFICATIONS]
        assert [message['event_type'] for message in told] == [
            'audit.http.request',
            'audit.http.response',
        ]
        payload = told[1]['payload']
        assert (payload['action'], payload['outcome']) == ('create', 'failure')
        assert payload['reason'] == {'reasonType': 'HTTP', 'reasonCode': '403'}
        assert payload['initiator']['id'] == 'alice' and payload['initiator']['project_id'] == 'red'
        assert payload['initiator']['request_id'].startswith('req-')
        assert payload['requestPath'] == '/v1/clustertemplates'
        assert 'alice:red:none' not in str(told)
        assert events(api) == []


@IDS
@pytest.mark.parametrize(
    'method, path, action, target',
    [
        ('GET', '/v1/clusters', 'read/list', 'clusters'),
        ('GET', '/v1/clusters/detail', 'read/list', 'clusters/cluster'),
        ('GET', '/v1/clusters/c1', 'read', 'clusters/cluster'),
        ('POST', '/v1/clusters', 'create', 'clusters'),
        ('PATCH', '/v1/clustertemplates/t', 'update', 'clustertemplates/clustertemplate'),
        ('DELETE', '/v1/clusters/c1', 'delete', 'clusters/cluster'),
        (
            'POST',
            '/v1/clusters/c1/actions/resize',
            'update/resize',
            'clusters/cluster/actions/action',
        ),
        (
            'POST',
            '/v1/clusters/c1/actions/upgrade',
            'update/upgrade',
            'clusters/cluster/actions/action',
        ),
        ('POST', '/v1/clusters/c1/nodegroups', 'create', 'clusters/cluster/nodegroups'),
        (
            'DELETE',
            '/v1/clusters/c1/nodegroups/g',
            'delete',
            'clusters/cluster/nodegroups/nodegroup',
        ),
        ('PATCH', '/v1/certificates/c1', 'update', 'certificates/cluster'),
    ],
)
def test_the_audit_map_names_actions_and_targets(method, path, action, target):
    catalog = (
        '[{"type": "container-infra", "name": "magnum", "endpoints": '
        '[{"id": "e", "publicURL": "https://magnum/v1"}]}]'
    )
    request = webob.Request.blank(path, method=method, environ={'HTTP_X_SERVICE_CATALOG': catalog})
    api = audit.OpenStackAuditApi(MAP)
    assert api.get_action(request) == action
    assert api.get_target_resource(request).typeURI == f'service/container-infra/{target}'
