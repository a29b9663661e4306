"""API and conductor in one process with the real Heat: what a client sees from start to end."""

from pathlib import Path

import pytest

from magnum_lite_dev.rig.tiny import Tiny
from tests import fixtures


@pytest.fixture
def whole(conf):
    """The service with a worker and the driver of the engine's tests."""
    with fixtures.working(conf, Tiny()) as running:
        yield running


def test_a_cluster_from_creation_to_deletion(whole):
    whole.template(coe='tiny')
    path = f'/v1/clusters/{whole.cluster("small", labels={"cidr": "10.8.0.0/24"})}'
    shown = whole.wait(path, status='CREATE_COMPLETE')
    assert shown['api_address'].startswith('https://') and shown['coe_version'] == 'tiny-1'
    assert shown['stack_id'] == shown['cluster_id'] != shown['uuid']
    authority = whole.ok('GET', f'/v1/certificates/{shown["uuid"]}')['pem']
    assert authority.startswith('-----BEGIN CERTIFICATE-----\n')

    whole.ok('POST', f'{path}/actions/resize', {'node_count': 2})
    assert whole.wait(path, status='UPDATE_COMPLETE')['node_count'] == 2
    whole.ok('PATCH', path, [{'op': 'replace', 'path': '/node_count', 'value': 2}])
    assert whole.wait(path, status='UPDATE_COMPLETE')['version'] == 3
    assert len(whole.ok('GET', f'{path}/nodegroups/default-worker')['node_addresses']) == 2
    operations = whole.ok('GET', f'{path}/operations')['operations']
    assert [(o['kind'], o['state']) for o in operations] == [
        ('create', 'DONE'),
        ('resize', 'DONE'),
        ('update', 'DONE'),
    ]
    steps = whole.ok('GET', f'{path}/operations/{operations[0]["uuid"]}')['steps']
    assert steps[-1]['text'] == 'done' and steps[0]['created_at'].endswith('+00:00')

    whole.ok('DELETE', path)
    whole.gone(path)
    whole.refused(404, 'GET', f'/v1/certificates/{shown["uuid"]}')
    assert whole.ok('GET', f'{path}/operations')['operations'][-1]['state'] == 'DONE'
    whole.ok('DELETE', '/v1/clustertemplates/small')


def test_a_deleted_cluster_gives_its_quota_back(whole):
    whole.template(coe='tiny')
    whole.ok('POST', '/v1/quotas', {'project_id': 'red'}, token='root:blue:admin')
    cluster = whole.cluster('small')
    whole.refused(403, 'POST', '/v1/clusters', {'cluster_template_id': 'small'})
    whole.ok('DELETE', f'/v1/clusters/{cluster}')
    whole.gone(f'/v1/clusters/{cluster}')
    whole.cluster('small')
    whole.refused(403, 'POST', '/v1/clusters', {'cluster_template_id': 'small'})


def test_a_refused_cluster_says_why(whole):
    whole.template(coe='tiny')
    path = f'/v1/clusters/{whole.cluster("small", labels={"cidr": "refused"})}'
    shown = whole.wait(path, status='CREATE_FAILED')
    assert 'a CIDR is' in shown['status_reason']
    assert set(shown['faults']) == {'default-master', 'default-worker'}


def test_the_conductor_is_listed_as_one_service(whole):
    (service,) = whole.ok('GET', '/v1/mservices', token='root:blue:admin')['mservices']
    assert (service['id'], service['state'], service['binary']) == (1, 'up', 'magnum-conductor')
    assert service['report_count'] > 0 and service['disabled'] is False


def test_a_silent_cloud_lets_requests_in(conf, tmp_path):
    fixtures.make_conf(tmp_path, cloud={'lookup_timeout_s': 0.5})
    with fixtures.service(conf) as api:
        cluster = api.cluster(api.template(), keypair='anything')
        assert api.ok('GET', f'/v1/clusters/{cluster}')['status'] == 'CREATE_IN_PROGRESS'


def test_development_refuses_to_listen_to_the_world(conf, tmp_path):
    fixtures.make_conf(tmp_path, api={'bind_host': '0.0.0.0'})  # noqa: S104
    with pytest.raises(ValueError, match='loopback'), fixtures.service(conf):
        pass


def test_development_refuses_callers_from_elsewhere(api):
    import webob

    request = webob.Request.blank(
        '/v1/clusters', environ={'REMOTE_ADDR': '192.0.2.1'}, headers={'X-Auth-Token': 'alice:red'}
    )
    response = request.get_response(api.application)
    assert response.status_int == 403 and response.json['error']['title'] == 'Forbidden'


def test_headers_cannot_forge_an_identity(api):
    forged = {'X-Roles': 'admin', 'X-Project-Id': 'blue', 'OpenStack-System-Scope': 'all'}
    api.refused(403, 'GET', '/v1/mservices', headers=forged)
    assert api.call('GET', '/v1/mservices', token='', headers=forged).status_int == 401


def test_unknown_labels_are_accepted_where_the_operator_says_so(conf, tmp_path, heat):
    fixtures.make_conf(tmp_path, catalog=heat.catalog, api={'unknown_labels': 'accept'})
    with fixtures.service(conf) as api:
        cluster = api.cluster(api.template(), labels={'my_own': 'x'})
        assert api.ok('GET', f'/v1/clusters/{cluster}')['labels'] == {'my_own': 'x'}
        api.refused(
            400,
            'POST',
            '/v1/clusters',
            {'cluster_template_id': 'small', 'labels': {'boot_volume_size': 'x'}},
        )


def test_links_begin_where_the_operator_says(conf, tmp_path, heat):
    fixtures.make_conf(
        tmp_path, catalog=heat.catalog, api={'public_endpoint': 'https://cloud.example/magnum/'}
    )
    with fixtures.service(conf) as api:
        shown = api.ok('GET', '/')
        assert shown['versions'][0]['links'][0]['href'] == 'https://cloud.example/magnum/v1/'


def test_an_operators_policy_is_heeded(conf, tmp_path, heat):
    (tmp_path / 'policy.yaml').write_text('"cluster:get_all": "role:special"\n')
    with fixtures.service(conf) as api:
        api.refused(403, 'GET', '/v1/clusters')
        assert api.ok('GET', '/v1/clusters', token='alice:red:special') == {'clusters': []}


def test_look_ups_leave_no_connection_open(conf, tmp_path, heat):
    fixtures.make_conf(tmp_path, catalog=heat.catalog, cloud={'lookup_cache_s': 0})
    with fixtures.service(conf) as api:
        template = api.template()
        api.cluster(template)
        before = len(list(Path('/proc/self/fd').iterdir()))
        for _ in range(5):
            api.cluster(template, keypair='demo')
        assert len(list(Path('/proc/self/fd').iterdir())) <= before + 1
