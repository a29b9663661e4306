"""Nodes fetch their keys; Heat, whose readers see all it is given, has none."""

import hashlib
import time
import uuid

import pytest
import requests
import sqlalchemy as sa

from magnum_lite.cloud.heat import Heat
from magnum_lite.db.tables import enrolments
from tests.functional.enrolling import WITHIN_S, make
from tests.walker import shown, walking


@pytest.fixture
def api(reached):
    """The service, with a worker and the Kubernetes driver, at the URL that nodes know."""
    return reached


@pytest.fixture
def cluster(api, project):
    """Uuid of a complete cluster."""
    return make(api, project)


def vault(api, cluster):
    """{name: text} of all secrets of a cluster."""
    with api.db.read() as connection:
        return api.application.service.vault.values(connection, cluster)


def master(api, heat):
    """The enrolment of the control-plane node."""
    servers = heat.state()['servers']
    with api.db.read() as connection:
        rows = connection.execute(sa.select(enrolments)).all()
    assert len(rows) == 2
    return next(row for row in rows if 'master' in servers[row.server_id]['name'])


@pytest.mark.parametrize('roles', ['reader', 'member,reader'])
def test_nobody_sees_a_secret_of_the_cluster(api, heat, project, cluster, roles):
    walker = walking(heat, project, roles)
    texts = walker.texts
    walker.stacks()
    assert any('kubeadm init' in text for text in texts)  # the walk reaches user data
    walker.servers()
    told = {
        row['_password'] for row in heat.state()['servers'].values() if row['tenant_id'] == project
    }
    assert told <= set(texts)  # and passwords
    assert {
        '/clusters/{cluster}',
        '/clusters/{cluster}/operations/{operation}',
        '/clusters/{cluster}/nodegroups/{nodegroup}',
    } <= set(walker.ours(api.url, cluster))
    kept = vault(api, cluster)
    assert {'ca.kubernetes.key', 'ca.etcd.key', 'service_account', 'bootstrap'} <= set(kept)
    assert [name for name, text in kept.items() if shown(text, texts)] == []
    # Nor the password of the user whom Heat makes for each signal.
    assert [text for text in texts if '"password": "' in text] == []


def test_a_server_is_given_its_keys_once_and_the_journal_says_so(api, heat, project, cluster):
    row = master(api, heat)
    assert row.cluster_id == cluster
    body = {'cluster': cluster, 'server': row.server_id, 'proof': 'f' * 64}
    for _ in range(2):
        error = api.refused(403, 'POST', '/v1/enrolments', body, token=None)
        assert 'is not that of the proof' in error['detail']
    operation = api.ok('GET', f'/v1/clusters/{cluster}/operations', token=f'alice:{project}')[
        'operations'
    ][0]['uuid']
    steps = api.ok(
        'GET', f'/v1/clusters/{cluster}/operations/{operation}', token=f'alice:{project}'
    )['steps']
    assert [step['text'] for step in steps if row.server_id in step['text']] == [
        f'server {row.server_id} enrolled and was given its secrets',
        f'a second enrolment as server {row.server_id} was refused',
    ]


def test_heat_hears_what_a_node_reports_and_from_nobody_else(api, heat, project, cluster):
    server = master(api, heat).server_id
    body = {
        'cluster': cluster,
        'server': server,
        'status': 'SUCCESS',
        'reason': 'up',
        'data': 'v1.36.2',
        'proof': heat.state()['servers'][server]['_proof'],
    }
    for wrong in (
        {'proof': 'e' * 64},
        {'server': str(uuid.uuid4())},
        {'cluster': str(uuid.uuid4())},
    ):
        error = api.refused(403, 'POST', '/v1/enrolments/reports', body | wrong, token=None)
        assert 'it has not enrolled' in error['detail']
    api.refused(400, 'POST', '/v1/enrolments/reports', body | {'status': 'MAYBE'}, token=None)
    assert api.call('POST', '/v1/enrolments/reports', body, token=None).status_int == 204
    reader = walking(heat, project)
    (base,) = (
        stack for stack in reader.get('/stacks')['stacks'] if stack['stack_name'].endswith('-base')
    )
    handle = f'/stacks/{base["stack_name"]}/{base["id"]}/resources/handle/metadata'
    deadline = time.monotonic() + WITHIN_S
    while server not in (metadata := reader.get(handle)['metadata']):
        assert time.monotonic() < deadline
    assert metadata[server] == {'status': 'SUCCESS', 'reason': 'up', 'data': 'v1.36.2'}


def test_physical_machines_enrol_too(api, heat, project):
    made = make(api, project, flavor_id='bm.large', master_flavor_id='bm.large', server_type='bm')
    machines = [row for row in heat.state()['servers'].values() if row['tenant_id'] == project]
    assert machines and all(row['_secrets'] for row in machines)
    walker = walking(heat, project)
    walker.stacks()
    assert any('kubeadm init' in text for text in walker.texts)
    assert [name for name, text in vault(api, made).items() if shown(text, walker.texts)] == []


def test_another_proof_an_old_server_and_a_busy_service_get_nothing(api, heat, project, cluster):
    row = master(api, heat)
    proof = 'd' * 64
    said = hashlib.sha256(proof.encode()).hexdigest()
    compute = f'{heat.catalog["compute"]}/servers/{row.server_id}'

    def refused(status, **changes):
        requests.put(
            compute,
            json={'server': changes},
            timeout=60,
            headers={'X-Auth-Token': f'alice:{project}'},
        ).raise_for_status()
        return api.refused(
            status,
            'POST',
            '/v1/enrolments',
            {'cluster': cluster, 'server': row.server_id, 'proof': proof},
            token=None,
        )['detail']

    assert 'has enrolled before' in refused(403, _password=said)
    busy = api.application.service.enrolling
    with busy.one(project), busy.one(project):
        refused(503)
    assert 'just been made' in refused(403, created='2020-01-01T00:00:00Z')
    token = f'alice:{project}'
    api.ok('DELETE', f'/v1/clusters/{cluster}', token=token)
    api.gone(f'/v1/clusters/{cluster}', within_s=WITHIN_S, token=token)
    with api.db.read() as connection:
        assert connection.execute(sa.select(enrolments)).all() == []


@pytest.fixture
def looks(monkeypatch):
    """The stacks that were looked through for a server."""
    found, holds = [], Heat.holds

    def look(self, stack, thing):
        found.append(stack)
        return holds(self, stack, thing)

    monkeypatch.setattr(Heat, 'holds', look)
    return found


def test_a_server_that_is_not_there_costs_the_cloud_little(api, cluster, looks):
    error = api.refused(
        403,
        'POST',
        '/v1/enrolments',
        {'cluster': cluster, 'server': str(uuid.uuid4()), 'proof': 'e' * 64},
        token=None,
    )
    assert 'it is not in the stacks of the cluster' in error['detail']
    assert looks == []


def test_a_server_that_is_not_of_the_cluster_is_given_nothing(api, heat, project, cluster):
    of_all = heat.state()['servers']
    worker = next(row['id'] for row in of_all.values() if 'worker' in row['name'])
    for server in (str(uuid.uuid4()), worker):
        api.refused(
            403,
            'POST',
            '/v1/enrolments',
            {'cluster': cluster, 'server': server, 'proof': 'e' * 64},
            token=None,
        )
    body = {'cluster': str(uuid.uuid4()), 'server': worker, 'proof': 'e' * 64}
    api.refused(403, 'POST', '/v1/enrolments', body, token=None)
    api.refused(400, 'POST', '/v1/enrolments', body | {'server': '../x'}, token=None)
