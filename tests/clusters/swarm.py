"""A swarm as its tenant has it: the docker client, with files as ``coe cluster config`` writes."""

import json
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from magnum_lite_dev.rig import PATIENCE_S

SWARM = {'coe': 'swarm', 'image_id': 'swarm'}


class Docker:
    """The ``docker`` client for one cluster.

    :ivar path: of the cluster in the API.
    """

    def __init__(self, api, path, directory):
        self.api, self.path = api, path
        self.cluster = api.ok('GET', path)
        self._files = directory
        self._write(directory)

    def run(self, *words):
        """The finished ``docker`` command."""
        host = self.cluster['api_address'].replace('https://', 'tcp://')
        return subprocess.run(
            ['docker', '--host', host, *self._tls(), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            stdin=subprocess.DEVNULL,
        )

    def ask(self, *words):
        """The documents that a command prints, one a line."""
        told = self.run(*words, '--format', '{{json .}}').stdout
        return [json.loads(line) for line in told.splitlines()]

    def ready(self):
        """{host name: role} of the nodes that are ready."""
        return {
            node['Hostname']: node['ManagerStatus'] and 'manager' or 'worker'
            for node in self.ask('node', 'ls')
            if node['Status'] == 'Ready'
        }

    def ready_workers(self):
        """[how many workers are ready], or [] while no manager answers."""
        try:
            return [list(self.ready().values()).count('worker')]
        except subprocess.SubprocessError:
            return []

    def inspect(self, node):
        """What a manager knows of a node."""
        return json.loads(self.run('node', 'inspect', node).stdout)[0]

    def wait_for_nodes(self, count, within_s=PATIENCE_S):
        """Wait until as many nodes are ready; none are while no manager answers."""
        until = time.monotonic() + within_s
        while (found := self._seen()) != count:
            assert time.monotonic() < until, found
            time.sleep(0.3)

    def resize(self, count, *servers):
        """Let the default workers be as many, without the servers of these ids."""
        body = {'node_count': count, 'nodes_to_remove': list(servers)}
        self.api.ok('POST', f'{self.path}/actions/resize', body)
        self.api.wait(self.path, status='UPDATE_COMPLETE')

    def rows(self, cloud, kind):
        """What the project of the cluster has in the cloud."""
        rows = cloud.state()[kind].values()
        return [row for row in rows if row.get('tenant_id') == self.cluster['project_id']]

    def _seen(self):
        try:
            return len(self.ready())
        except subprocess.SubprocessError:
            return 0

    def wait_for_service(self, name, replicas):
        """Wait until as many tasks of a service run."""
        until = time.monotonic() + PATIENCE_S
        while True:
            tasks = self.ask('service', 'ps', '--filter', 'desired-state=running', name)
            running = [task for task in tasks if task['CurrentState'].startswith('Running')]
            if len(running) == replicas == len(tasks):
                return running
            assert time.monotonic() < until, tasks
            time.sleep(0.3)

    def _tls(self):
        parts = {'cacert': 'ca', 'cert': 'cert', 'key': 'key'}
        files = (f'--tls{name}={self._files}/{file}.pem' for name, file in parts.items())
        return ['--tlsverify', *files]

    def _write(self, directory):
        """What ``coe cluster config`` and ``coe ca sign`` write."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'tenant')])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        body = {
            'cluster_uuid': self.cluster['uuid'],
            'csr': csr.public_bytes(serialization.Encoding.PEM).decode(),
        }
        certificate = self.api.ok('POST', '/v1/certificates', body)['pem']
        authority = self.api.ok('GET', f'/v1/certificates/{self.cluster["uuid"]}')['pem']
        (directory / 'ca.pem').write_text(authority)
        (directory / 'cert.pem').write_text(certificate)
        (directory / 'key.pem').write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
