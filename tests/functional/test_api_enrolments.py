"""Nodes fetch their keys; Heat, whose readers see all it is given, has none."""

import base64
import binascii
import collections
import gzip
import hashlib
import re
import time
import uuid
import zlib

import pytest
import requests
import sqlalchemy as sa

from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.cloud.heat import Heat
from magnum_lite.db.tables import enrolments
from magnum_lite.driver_sdk import enrolment
from magnum_lite_dev.server import Server
from magnum_lite_dev.state import free_port
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

WITHIN_S = 240
PACKED = re.compile(r'[A-Za-z0-9+/\n]{40,}={0,2}')
BELOW_A_STACK = ('', '/template', '/environment', '/files', '/outputs', '/events', '/snapshots')


def wait(api, cluster, token):
    deadline = time.monotonic() + WITHIN_S
    while True:
        found = api.ok('GET', f'/v1/clusters/{cluster}', token=token)
        if not found['status'].endswith('IN_PROGRESS'):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@pytest.fixture
def api(tmp_path, heat):
    """The service, with a worker and the Kubernetes driver, at the URL that nodes know."""
    port = free_port()
    url = f'http://127.0.0.1:{port}'
    conf = fixtures.make_conf(tmp_path, catalog=heat.catalog, enrolment={'public_url': url})
    with fixtures.working(conf, Kubernetes()) as running:
        server = Server(running.application, port, name='api')
        running.url = url
        yield running
        server.close()
    fixtures.forget_conf()


@pytest.fixture
def project():
    """A project that nothing else uses."""
    return uuid.uuid4().hex


@pytest.fixture
def cluster(api, project):
    """Uuid of a complete cluster."""
    token = f'alice:{project}'
    template = api.ok(
        'POST',
        '/v1/clustertemplates',
        {
            'name': 't',
            'coe': 'kubernetes',
            'image_id': 'debian-13',
            'flavor_id': 'm1.small',
            'master_flavor_id': 'm1.medium',
            'external_network_id': 'public',
        },
        token=token,
    )['uuid']
    made = api.ok(
        'POST',
        '/v1/clusters',
        {'name': 'c', 'cluster_template_id': template, 'node_count': 1},
        token=token,
    )['uuid']
    found = wait(api, made, token)
    assert found['status'] == 'CREATE_COMPLETE', found['status_reason']
    return made


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


def strings(document):
    """Every string in a document, unpacked too."""
    if isinstance(document, dict):
        return [text for pair in document.items() for text in strings(list(pair))]
    if isinstance(document, list):
        return [text for item in document for text in strings(item)]
    return unpacked(document) if isinstance(document, str) else []


def unpacked(text):
    found = [text]
    for run in PACKED.findall(text):
        try:
            data = base64.b64decode(run)
            data = gzip.decompress(data) if data[:2] == b'\x1f\x8b' else data
        except (binascii.Error, OSError, EOFError, zlib.error):
            continue
        found.append(data.decode('latin-1'))
    return found


class Reader:
    """Somebody with some roles, who looks at all that Heat, Nova and the service show."""

    def __init__(self, heat, project, roles='reader'):
        self.root = heat.catalog['orchestration'] % {'project_id': project}
        self.compute = heat.catalog['compute'] % {'project_id': project}
        self.token = f'rita:{project}:{roles}'
        self.texts = []

    def get(self, path, root=None, body=None):
        reply = requests.request(
            'POST' if body else 'GET',
            (root or self.root) + path,
            json=body,
            timeout=60,
            headers={'X-Auth-Token': self.token, 'OpenStack-API-Version': 'compute 2.96'},
        )
        if reply.status_code != 200:
            return {}
        document = reply.json()
        self.texts += strings(document)
        return document

    def nova(self):
        """What Nova shows of servers."""
        for server in self.get('/servers/detail', self.compute)['servers']:
            for below in ('', '/metadata', '/os-interface', '/os-volume_attachments', '/tags'):
                self.get(f'/servers/{server["id"]}{below}', self.compute)
            self.get(
                f'/servers/{server["id"]}/action',
                self.compute,
                {'os-getConsoleOutput': {'length': None}},
            )

    def ours(self, api, cluster):
        """Paths of the service that show something; every GET is tried."""
        known = api.ok('GET', f'/v1/clusters/{cluster}', token=self.token)
        (operation,) = api.ok('GET', f'/v1/clusters/{cluster}/operations', token=self.token)[
            'operations'
        ]
        values = collections.defaultdict(
            lambda: cluster,
            {
                'template': known['cluster_template_id'],
                'operation': operation['uuid'],
                'nodegroup': 'default-worker',
                'driver': 'kubernetes',
            },
        )
        found = []
        for path in (each.path for each in ENDPOINTS if each.method == 'GET'):
            reply = api.call('GET', path.format_map(values), token=self.token)
            if reply.status_int == 200:
                self.texts += strings(reply.json)
                found.append(path)
        return found

    def walk(self):
        """All texts of all that Heat shows."""
        for stack in self.get('/stacks?show_nested=True').get('stacks', []):
            self.stack(f'/stacks/{stack["stack_name"]}/{stack["id"]}')
        for config in self.get('/software_configs').get('software_configs', []):
            self.get(f'/software_configs/{config["id"]}')
        for found in self.get('/software_deployments').get('software_deployments', []):
            self.get(f'/software_deployments/{found["id"]}')
            self.get(f'/software_deployments/metadata/{found["server_id"]}')
        return self.texts

    def stack(self, path):
        for below in BELOW_A_STACK:
            self.get(path + below)
        for output in self.get(f'{path}/outputs').get('outputs', []):
            self.get(f'{path}/outputs/{output["output_key"]}')
        for resource in self.get(f'{path}/resources').get('resources', []):
            one = f'{path}/resources/{resource["resource_name"]}'
            physical = self.get(one).get('resource', {}).get('physical_resource_id')
            if 'MultipartMime' in resource['resource_type']:
                self.get(f'/software_configs/{physical}')
            self.get(f'{one}/metadata')
            for event in self.get(f'{one}/events').get('events', []):
                self.get(f'{one}/events/{event["id"]}')


def shown(secret, texts):
    """Whether a text stands in one of the texts, by a line of it that stands nowhere else."""
    lines = [line for line in secret.splitlines() if line and '---' not in line]
    return any(line in text for line in lines for text in texts)


@pytest.mark.parametrize('roles', ['reader', 'member,reader'])
def test_nobody_sees_a_secret_of_the_cluster(api, heat, project, cluster, roles):
    walker = Reader(heat, project, roles)
    texts = walker.walk()
    assert any('kubeadm init' in text for text in texts)  # the walk reaches user data
    walker.nova()
    assert any(enrolment.MARK in text for text in texts)  # and consoles
    assert {
        '/clusters/{cluster}',
        '/clusters/{cluster}/operations/{operation}',
        '/clusters/{cluster}/nodegroups/{nodegroup}',
    } <= set(walker.ours(api, cluster))
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
        assert 'its console does not show the proof' in error['detail']
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


def test_a_worker_is_given_what_it_joins_with_and_nothing_else(api, heat, project, cluster):
    worker = next(
        row
        for row in heat.state()['servers'].values()
        if 'worker' in row['name'] and row['tenant_id'] == project
    )
    assert worker['_secrets'] == {'bootstrap': vault(api, cluster)['bootstrap']}


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
    reader = Reader(heat, project)
    (base,) = (
        stack for stack in reader.get('/stacks')['stacks'] if stack['stack_name'].endswith('-base')
    )
    handle = f'/stacks/{base["stack_name"]}/{base["id"]}/resources/handle/metadata'
    deadline = time.monotonic() + WITHIN_S
    while server not in (metadata := reader.get(handle)['metadata']):
        assert time.monotonic() < deadline
    assert metadata[server] == {'status': 'SUCCESS', 'reason': 'up', 'data': 'v1.36.2'}


def test_physical_machines_do_not_enrol_for_they_have_no_console(api, heat, project):
    token = f'alice:{project}'
    template = api.ok(
        'POST',
        '/v1/clustertemplates',
        {
            'name': 'b',
            'coe': 'kubernetes',
            'image_id': 'debian-13',
            'flavor_id': 'bm.large',
            'master_flavor_id': 'bm.large',
            'external_network_id': 'public',
            'server_type': 'bm',
        },
        token=token,
    )['uuid']
    made = api.ok(
        'POST', '/v1/clusters', {'name': 'b', 'cluster_template_id': template}, token=token
    )['uuid']
    assert wait(api, made, token)['status'] == 'CREATE_COMPLETE'
    machines = [row for row in heat.state()['servers'].values() if row['tenant_id'] == project]
    assert [row for row in machines if row.get('_proof')] == []


def test_another_proof_an_old_server_and_a_busy_service_get_nothing(api, heat, project, cluster):
    row = master(api, heat)
    proof = 'd' * 64
    said = f'{enrolment.MARK} {hashlib.sha256(proof.encode()).hexdigest()}'
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

    assert 'has enrolled before' in refused(403, _console=said)
    busy = api.application.service.enrolling
    with busy.one(project), busy.one(project):
        refused(503)
    assert 'just been made' in refused(403, created='2020-01-01T00:00:00Z')
    token = f'alice:{project}'
    api.ok('DELETE', f'/v1/clusters/{cluster}', token=token)
    deadline = time.monotonic() + WITHIN_S
    while api.call('GET', f'/v1/clusters/{cluster}', token=token).status_int != 404:
        assert time.monotonic() < deadline
        time.sleep(0.2)
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
