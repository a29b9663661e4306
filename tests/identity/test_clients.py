"""The real ``openstack coe`` commands, of two releases of the client, with a real Keystone."""

import json
import os
import re
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite_dev import kubeconfig
from magnum_lite_dev.directory import PASSWORD, REGION

pytestmark = [pytest.mark.keystone, pytest.mark.clients]
VERSIONS = ('4.10.0', '5.0.0')
TEMPLATE = (
    '--coe',
    'kubernetes',
    '--image',
    'debian-13',
    '--external-network',
    'public',
    '--flavor',
    'm1.small',
    '--master-flavor',
    'm1.small',
    '--keypair',
    'demo',
)


class Shell:
    """Somebody at a shell with the ``openstack`` command of one release.

    :ivar used: the commands below ``coe`` that were run.
    """

    def __init__(self, keystone_url, version, user, project):
        self.is_5 = version.startswith('5.')
        self.used = set()
        self._program = f'{os.environ["MAGNUM_LITE_TEST_CLIENTS"]}/{version}/bin/openstack'
        kept = {name: text for name, text in os.environ.items() if not name.startswith('OS_')}
        # python-magnumclient reads SHELL for "coe cluster config" and ends without it.
        self._environment = {
            'SHELL': '/bin/sh',
            **kept,
            'PYTHONWARNINGS': 'ignore',
            'OS_AUTH_URL': keystone_url,
            'OS_USERNAME': user,
            'OS_PASSWORD': PASSWORD,
            'OS_PROJECT_NAME': project,
            'OS_USER_DOMAIN_ID': 'default',
            'OS_PROJECT_DOMAIN_ID': 'default',
            'OS_REGION_NAME': REGION,
        }

    def commands(self):
        """All commands below ``coe`` that this release has."""
        return set(re.findall(r'^  coe (.*)$', self._call('help', 'coe').stdout, re.MULTILINE))

    def run(self, command, *words):
        """The output of ``openstack coe <command>``; fails unless it succeeds."""
        done = self._coe(command, *words)
        # Some commands print an error and succeed all the same.
        assert done.returncode == 0 and 'failed' not in done.stdout, done.stdout + done.stderr
        return done.stdout

    def json(self, command, *words):
        """The output of a command that can print JSON."""
        return json.loads(self.run(command, *words, '-f', 'json'))

    def refused(self, command, *words):
        """What a command says that must not succeed."""
        done = self._coe(command, *words)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def _coe(self, command, *words):
        self.used.add(command)
        return self._call('coe', *command.split(), *words)

    def _call(self, *words):
        return subprocess.run(
            [self._program, *words],
            env=self._environment,
            check=False,
            text=True,
            capture_output=True,
            timeout=180,
        )


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def test_a_session_with_every_command(keystone_service, tenants, project, version, tmp_path):
    http = tenants('ann', project, 'member')
    shell = Shell(http.keystone.url, version, f'ann-{project}', project)
    boss = Shell(http.keystone.url, version, 'admin', 'admin')
    _make_template(shell)
    _set_quotas(boss, http.keystone.project(project))

    assert 'accepted' in shell.run(
        'cluster create', 'one', '--cluster-template', 'small', '--node-count', '1'
    )
    uuid = http('GET', '/clusters/one', 200)['uuid']
    http.wait(uuid)
    shown = shell.json('cluster show', 'one')
    assert shown['status'] == 'CREATE_COMPLETE' and shown['uuid'] == uuid
    assert [row['name'] for row in shell.json('cluster list')] == ['one']
    _reach(shell, tmp_path)
    _resize(shell, http, uuid)
    _change_node_groups(shell, http, uuid)
    _replace(shell, http, uuid)
    _count(boss, http.keystone.project(project))

    shell.run('cluster delete', 'one')
    http.gone(uuid)
    shell.run('cluster template delete', 'small')
    assert shell.json('cluster template list') == []
    assert shell.used | boss.used == shell.commands()


def _make_template(shell):
    shell.run('cluster template create', 'small', *TEMPLATE)
    other = ('other', *TEMPLATE, '--volume-driver', 'cvmfs')
    assert 'one of cinder is expected, not "cvmfs"' in shell.refused(
        'cluster template create', *other
    )
    shell.run('cluster template create', *other, '--coe', 'swarm')
    assert shell.json('cluster template show', 'other')['volume_driver'] == 'cvmfs'
    shell.run('cluster template delete', 'other')
    shell.run(
        'cluster template update',
        'small',
        *(
            ['--label', 'availability_zone=nova']
            if shell.is_5
            else ['add', 'labels/availability_zone=nova']
        ),
    )
    assert shell.json('cluster template show', 'small')['labels'] == {'availability_zone': 'nova'}
    assert [row['name'] for row in shell.json('cluster template list')] == ['small']


def _set_quotas(boss, project_id):
    which = ('--project-id', project_id, '--resource', 'Cluster')
    boss.run('quotas create', *which, '--hard-limit', '7')
    assert re.search(r'hard_limit\s*\|\s*7\b', boss.run('quotas show', *which))
    boss.run('quotas update', *which, '--hard-limit', '8')
    assert re.search(
        rf'{project_id}\s*\|\s*Cluster\s*\|\s*8\b', boss.run('quotas list', '--all-tenants')
    )
    boss.run('quotas delete', *which)
    assert project_id not in boss.run('quotas list', '--all-tenants')


def _reach(shell, tmp_path):
    """The certificates of the cluster are good for its API."""
    assert 'BEGIN CERTIFICATE' in shell.run('ca show', 'one')
    (tmp_path / 'request.pem').write_text(_request('somebody'))
    assert 'BEGIN CERTIFICATE' in shell.run('ca sign', 'one', str(tmp_path / 'request.pem'))
    shell.run('cluster config', 'one', '--dir', str(tmp_path), '--output-certs')
    assert {'ca.pem', 'cert.pem', 'key.pem'} <= {path.name for path in tmp_path.iterdir()}
    assert any('O=system:masters' in line for line in kubeconfig.describe(tmp_path / 'config'))
    assert len(kubeconfig.nodes(tmp_path / 'config')) == 2


def _request(name):
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def _resize(shell, http, uuid):
    shell.run('cluster resize', 'one', '2')
    http.wait(uuid, 'UPDATE_COMPLETE')
    shell.run(
        'cluster update',
        'one',
        *(['--node-count', '1'] if shell.is_5 else ['replace', 'node_count=1']),
    )
    http.wait(uuid, 'UPDATE_COMPLETE')
    assert shell.json('cluster show', 'one')['node_count'] == 1


def _change_node_groups(shell, http, uuid):
    shell.run(
        'nodegroup create',
        'one',
        'big',
        '--node-count',
        '2',
        '--flavor',
        'm1.large',
        '--role',
        'worker',
    )
    http.wait(uuid, 'UPDATE_COMPLETE')
    groups = shell.json('nodegroup list', 'one')
    assert sorted(row['name'] for row in groups) == ['big', 'default-master', 'default-worker']
    shell.run(
        'nodegroup update',
        'one',
        'big',
        *(['--max-nodes', '5'] if shell.is_5 else ['replace', 'max_node_count=5']),
    )
    http.wait(uuid, 'UPDATE_COMPLETE')
    shown = shell.json('nodegroup show', 'one', 'big')
    assert (shown['node_count'], shown['max_node_count']) == (2, 5)
    shell.run('nodegroup delete', 'one', 'big')
    http.wait(uuid, 'UPDATE_COMPLETE')
    http('GET', f'/clusters/{uuid}/nodegroups/big', 404)


def _replace(shell, http, uuid):
    """Credentials are replaced; what the driver cannot replace is refused with the reason."""
    shell.run('credential rotate', 'one')
    http.wait(uuid, 'UPDATE_COMPLETE')
    assert 'does not support upgrades' in shell.refused('cluster upgrade', 'one', 'small')
    assert 'does not support rotation' in shell.refused('ca rotate', 'one')


def _count(boss, project_id):
    assert re.search(r'\bnodes\s*\|\s*2\b', boss.run('stats list', project_id))
    services = boss.json('service list')
    assert [row['binary'] for row in services] == ['magnum-conductor']


@pytest.mark.parametrize('how', ['--use-certificate', '--use-keystone'])
def test_no_configuration_is_written_for_an_api_without_an_address(
    keystone_service, keystone_heat, tenants, project, version, tmp_path, how
):
    http = tenants('ann', project, 'member')
    shell = Shell(http.keystone.url, version, f'ann-{project}', project)
    _make_template(shell)
    heat = keystone_heat[1]
    heat.fault(kind='slow', seconds=600, match='early*')
    try:
        uuid = http.create(http('GET', '/clustertemplates/small', 200)['uuid'], name='early')
        until = time.monotonic() + 120
        while 'does not exist yet' in str(http('GET', f'/certificates/{uuid}', 409)):
            assert time.monotonic() < until
            time.sleep(0.5)
        assert 'its API has no address yet' in shell.refused(
            'cluster config', 'early', how, '--dir', str(tmp_path), '--output-certs'
        )
        assert not list(tmp_path.iterdir())
    finally:
        heat.clear_faults()
        shell.run('cluster delete', 'early')
        http.gone(uuid)
