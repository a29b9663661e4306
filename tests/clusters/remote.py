"""What a tenant has of the service: its URL."""

import requests
import webob

from tests import fixtures

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
