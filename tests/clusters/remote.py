"""What a tenant has of the service: its URL, and the real command line."""

import os
import subprocess
from pathlib import Path

import requests
import webob

from magnum_lite_dev.client import Client
from tests import fixtures

RELEASES = ('4.10.0', '5.0.0')
TIMEOUT_S = 60


class Remote(fixtures.Api):
    """Calls the service at an URL, over HTTP, as one tenant."""

    def __init__(self, url, token):
        self._url, self._token = url, token

    def template(self, **values):
        """See :meth:`tests.fixtures.Api.template`."""
        return super().template(token=self._token, **values)

    def cluster(self, template, **values):
        """See :meth:`tests.fixtures.Api.cluster`."""
        return super().cluster(template, token=self._token, **values)

    def call(self, method, path, body=None, *, token=None, version=fixtures.LATEST, headers=()):
        """See :meth:`tests.fixtures.Api.call`; ``body`` is a document."""
        given = {'X-Auth-Token': token or self._token, 'OpenStack-API-Version': version}
        reply = requests.request(
            method,
            f'{self._url}{path}',
            json=body,
            headers={**given, **dict(headers)},
            timeout=TIMEOUT_S,
        )
        kind = reply.headers.get('Content-Type')
        return webob.Response(reply.content, reply.status_code, content_type=kind, charset='utf-8')


class Terminal:
    """A shell with the ``openstack`` command of one release, and with docker.

    :param url: of the service.
    """

    def __init__(self, release, url, token):
        program = f'{os.environ["MAGNUM_LITE_TEST_CLIENTS"]}/{release}/bin/openstack'
        client = Client(Path(), program)
        environment = {**client.environment(url), 'OS_TOKEN': token}
        self._environment = {
            **{name: text for name, text in environment.items() if 'DOCKER' not in name},
            'PATH': f'{Path(program).parent}:{os.environ["PATH"]}',
        }

    def run(self, script):
        """What a script for bash prints; fails unless it succeeds."""
        done = subprocess.run(
            ['bash', '-ec', script],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def nodes(self, cluster, directory):
        """Names of the nodes that are ready, as docker tells where its tenant has done only this.

        :param directory: for the files.
        """
        told = self.run(
            f'eval "$(openstack coe cluster config {cluster} --dir {directory} --output-certs)"\n'
            'docker node ls --format "{{.Status}} {{.Hostname}}"'
        )
        return {line.split()[1] for line in told.splitlines() if line.startswith('Ready ')}
