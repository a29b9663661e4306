"""What conductors are asked about a request, and what their drivers see of it."""

import json

import pytest

from magnum_lite.conductor.judge import Judge
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.delegation.keystone import InKeystone
from magnum_lite.driver_sdk import APPLICATION_CREDENTIAL, Rejected
from magnum_lite.objects import DriverVersion
from magnum_lite.secrets import keyfile
from magnum_lite.secrets.keyring import new_key
from magnum_lite_kubernetes.driver import Kubernetes
from tests.functional.conductors import Strict

NOBODY = '11111111-2222-3333-4444-555555555555'
# They may have passwords, so a question has them sealed.
PROXIES = {
    'http_proxy': 'http://ann:s3cret@192.0.2.7:3128',
    'https_proxy': 'http://bob:pa55word@192.0.2.7:3129',
}


class Seeing(Kubernetes):
    """Keeps what it saw, and refuses it."""

    def __init__(self):
        self.seen = []

    def validate(self, spec, /):
        """Refuse the proxy."""
        self.seen.append(spec)
        raise Rejected('http_proxy', 'no')


@pytest.fixture
def question(api, hearing):
    """What a conductor heard about a template with proxies."""
    api.template(**PROXIES)
    return hearing.heard[-1]


def judged(conf, api, question):
    """What a driver saw of the question, and what was answered."""
    driver = Seeing()
    answer = Judge(conf, api.db, Registry({'kubernetes': driver})).validate(question, 30)
    return driver.seen, answer


def test_a_question_about_a_template_shows_no_password(question):
    text = json.dumps(question)
    assert 's3cret' not in text and 'pa55word' not in text and '192.0.2.7' not in text


def test_the_driver_sees_the_proxies(conf, api, question):
    seen, answer = judged(conf, api, question)
    assert {(spec.http_proxy, spec.https_proxy) for spec in seen} == {tuple(PROXIES.values())}
    assert answer == {'path': 'http_proxy', 'reason': 'no'}


def test_an_older_question_is_understood(conf, api, question):
    """Release 1.1 wrote proxies into the template."""
    older = {name: value for name, value in question.items() if name != 'sealed'}
    seen, _ = judged(conf, api, {**older, 'template': {**older['template'], **PROXIES}})
    assert seen[0].http_proxy == PROXIES['http_proxy']


def test_a_conductor_with_other_keys_lets_the_request_in(conf, api, question, tmp_path, caplog):
    other = tmp_path / 'other'
    keyfile.put_first(other, new_key())
    conf.set_override('key_file', str(other), 'secrets')
    assert judged(conf, api, question) == ([], None)
    assert 'let in' in caplog.text


def test_the_question_about_a_change_has_what_changes_alone(api, hearing):
    uuid = api.cluster(api.template())
    api.settle(uuid)
    hearing.heard.clear()
    api.ok('POST', f'/v1/clusters/{uuid}/actions/resize', {'node_count': 2})
    worker = api.ok('GET', f'/v1/clusters/{uuid}/nodegroups/default-worker')['uuid']
    (wanted,) = hearing.heard
    assert wanted.pop('request_id').startswith('req-')
    assert wanted == {
        'kind': 'resize',
        'project_id': 'red',
        'user_id': 'alice',
        'template': None,
        'cluster': {'uuid': uuid},
        'groups': {worker: {'node_count': 2}},
        'focus': worker,
    }


class Careful(Kubernetes):
    """Its nodes call the cloud: it refuses a cluster without what they authenticate with."""

    capabilities = Kubernetes.capabilities | {'application_credential'}

    def __init__(self):
        self.seen = []

    def validate(self, spec, /):
        """As the guide for authors says."""
        self.seen.append(spec)
        if APPLICATION_CREDENTIAL[0] not in spec.secrets or not spec.auth_url:
            raise Rejected('keypair', 'nodes need an application credential')


@pytest.fixture
def judge(conf, api):
    """A judge with a driver of its own, and its driver."""

    def make(driver):
        return Judge(conf, api.db, Registry({'kubernetes': driver}))

    return make


def test_a_driver_sees_references_of_secrets_and_no_values(api, hearing, judge, conf):
    """Those too that are lent when the request is accepted."""
    api.db.write(
        store.update, DriverVersion, {'capabilities': ['application_credential', 'update']}
    )
    with pytest.MonkeyPatch.context() as patches:
        patches.setitem(
            vars(api.application.service),
            'delegations',
            InKeystone(conf, api.db, api.application.service.vault),
        )
        judgement_of = api.call('POST', '/v1/clusters', {'cluster_template_id': api.template()})
    assert judgement_of.status_int != 400  # it goes on to Keystone, which is not there
    driver = Careful()
    assert judge(driver).validate(hearing.heard[-1], 30) is None
    (spec,) = driver.seen
    assert {'ca.kubernetes.key', 'bootstrap', *APPLICATION_CREDENTIAL} <= spec.secrets.keys()
    assert [secret.value for secret in spec.secrets.values() if secret.value] == []


def test_a_conductor_that_cannot_say_lets_a_request_in(api, hearing, judge, caplog):
    """Its driver is older than the cluster needs, or a row that it does not know yet is meant."""
    api.cluster(api.template())
    wanted = hearing.heard[-1]
    api.db.write(store.update, DriverVersion, {'plugin_version': '99.0'})
    assert judge(Strict()).validate(wanted, 30) is None
    assert 'the cluster needs 99.0' in caplog.text
    missing = {**wanted, 'kind': 'resize', 'cluster': {'uuid': NOBODY}}
    assert judge(Strict()).validate(missing, 30) is None
    assert f'Cluster {NOBODY} could not be found' in caplog.text
    later = {**wanted, 'cluster': {**wanted['cluster'], 'invented_later': 1}}
    assert judge(Strict()).validate(later, 30) is None
    assert 'has no invented_later' in caplog.text


def test_health_is_reported_without_a_question(api, hearing):
    uuid = api.cluster(api.template())
    hearing.heard.clear()
    api.ok(
        'PATCH',
        f'/v1/clusters/{uuid}',
        [{'op': 'replace', 'path': '/health_status', 'value': 'HEALTHY'}],
        token='root:ops:admin',
    )
    assert hearing.heard == []


def test_no_driver_is_asked_about_more_nodes_than_a_cluster_may_have(api, hearing, conf):
    """It may work for each, or know a higher limit than the operator's."""
    conf.set_override('max_nodes', 8, 'cluster')
    uuid = api.cluster(api.template())
    api.settle(uuid)
    path = f'/v1/clusters/{uuid}'
    hearing.heard.clear()
    for count in (8, 2**31 - 1):
        for method, below, body in (
            ('POST', '/actions/resize', {'node_count': count}),
            ('PATCH', '', [{'op': 'replace', 'path': '/node_count', 'value': count}]),
            ('POST', '/nodegroups', {'name': 'more', 'node_count': count}),
        ):
            title = api.refused(400, method, path + below, body)['title']
            assert title.endswith('nodes in all, at most 8 are accepted ([cluster] max_nodes)')
    assert hearing.heard == []


def test_the_question_has_no_secret_and_nobodys_rights(api, hearing):
    api.cluster(api.template(), keypair='demo')
    wanted = hearing.heard[-1]
    assert not wanted['cluster'].keys() & {'identity', 'created_at'}
    assert wanted['cluster']['application_credential'] == {}
    assert wanted.keys() == {
        'kind',
        'project_id',
        'user_id',
        'request_id',
        'cluster',
        'groups',
        'focus',
        'template',
    }


def test_nobody_is_asked_where_the_operator_says_so(api, hearing, conf):
    conf.set_override('validate_s', 0, 'api')
    api.cluster(api.template())
    assert hearing.heard == []
