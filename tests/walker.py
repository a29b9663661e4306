"""Somebody who looks at all that Heat, Nova and the service show, for secrets."""

import base64
import binascii
import collections
import gzip
import re
import zlib

import requests

from magnum_lite.api.endpoint import ENDPOINTS

PACKED = re.compile(r'[A-Za-z0-9+/\n]{40,}={0,2}')
BELOW_A_STACK = ('', '/template', '/environment', '/files', '/outputs', '/events', '/snapshots')


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


class Walker:
    """Somebody with a token.

    :param heat: URL of Heat in the project; ``nova``: that of Nova.
    :ivar texts: every string that was shown.
    """

    def __init__(self, token, heat, nova):
        self.heat, self.nova = heat, nova
        self.token = token
        self.texts = []

    def get(self, path, root=None, body=None):
        """The document at a path of Heat, or below another root; {} if there is none."""
        reply = requests.request(
            'POST' if body else 'GET',
            (root or self.heat) + path,
            json=body,
            timeout=60,
            headers={
                'X-Auth-Token': self.token,
                'OpenStack-API-Version': 'compute 2.96'
                if root == self.nova
                else 'container-infra latest',
            },
        )
        if reply.status_code != 200:
            return {}
        document = reply.json()
        self.texts += strings(document)
        return document

    def servers(self):
        """Walk through what Nova shows of servers."""
        for server in self.get('/servers/detail', self.nova)['servers']:
            for below in (
                '',
                '/metadata',
                '/os-interface',
                '/os-volume_attachments',
                '/tags',
                '/os-server-password',
            ):
                self.get(f'/servers/{server["id"]}{below}', self.nova)
            self.get(
                f'/servers/{server["id"]}/action',
                self.nova,
                {'os-getConsoleOutput': {'length': None}},
            )

    def ours(self, url, cluster):
        """Paths of the service that show something; every GET is tried."""
        known = self.get(f'/v1/clusters/{cluster}', url)
        (operation,) = self.get(f'/v1/clusters/{cluster}/operations', url)['operations']
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
            if self.get(path.format_map(values), url):
                found.append(path)
        return found

    def stacks(self):
        """Walk through all that Heat shows."""
        for stack in self.get('/stacks?show_nested=True').get('stacks', []):
            self.stack(f'/stacks/{stack["stack_name"]}/{stack["id"]}')
        for config in self.get('/software_configs').get('software_configs', []):
            self.get(f'/software_configs/{config["id"]}')
        for found in self.get('/software_deployments').get('software_deployments', []):
            self.get(f'/software_deployments/{found["id"]}')
            self.get(f'/software_deployments/metadata/{found["server_id"]}')

    def stack(self, path):
        """Walk through one stack."""
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


def walking(heat, project, roles='reader'):
    """Somebody in a project of a Heat that asks no Keystone."""
    return Walker(
        f'rita:{project}:{roles}',
        *(heat.catalog[name] % {'project_id': project} for name in ('orchestration', 'compute')),
    )
