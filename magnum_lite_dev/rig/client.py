"""A user's requests, each with the status that is expected."""

import time
from typing import Any

import requests

# Only what never comes takes so long: twenty clusters took 300 s where other tests ran beside them.
PATIENCE_S = 900


class Client:
    """HTTP as a user sends it."""

    def __init__(self, url, token) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(
            {'X-Auth-Token': token, 'OpenStack-API-Version': 'container-infra latest'}
        )
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=32)
        self._session.mount('http://', adapter)

    def __call__(self, method, path, expect, body=None) -> Any:
        """The body of an answer; fails unless its status is ``expect``."""
        reply = self._session.request(method, f'{self._url}/v1{path}', json=body, timeout=60)
        assert reply.status_code == expect, f'{method} {path}: {reply.status_code} {reply.text}'
        return reply.json() if reply.content else None

    def template(self, **values) -> str:
        """Make a template; its uuid."""
        return self(
            'POST',
            '/clustertemplates',
            201,
            {
                'name': 't',
                'coe': 'kubernetes',
                'image_id': 'debian-13',
                'flavor_id': 'm1.small',
                'master_flavor_id': 'm1.small',
                'external_network_id': 'public',
                **values,
            },
        )['uuid']

    def create(self, template, **values) -> str:
        """Ask for a cluster; its uuid."""
        return self(
            'POST', '/clusters', 202, {'name': 'c', 'cluster_template_id': template, **values}
        )['uuid']

    def wait(self, uuid, status='CREATE_COMPLETE', *, within_s=PATIENCE_S) -> dict[str, Any]:
        """Wait until the cluster left its ``_IN_PROGRESS``; fails unless it is in ``status``."""
        until = time.monotonic() + within_s
        while (cluster := self('GET', f'/clusters/{uuid}', 200))['status'].endswith('_PROGRESS'):
            assert time.monotonic() < until, f'still {cluster["status"]}'
            time.sleep(0.5)
        assert cluster['status'] == status, cluster['status_reason']
        return cluster

    def gone(self, uuid, *, within_s=PATIENCE_S) -> None:
        """Wait until there is no such cluster any more."""
        until = time.monotonic() + within_s
        while True:
            reply = self._session.get(f'{self._url}/v1/clusters/{uuid}', timeout=60)
            if reply.status_code == 404:
                return
            assert not reply.json()['status'].endswith('_FAILED') and time.monotonic() < until, (
                reply.text
            )
            time.sleep(0.5)
