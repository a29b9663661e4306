"""What a server asks Nova about itself, as Neutron's proxy hands its requests on."""

import hashlib
import hmac

import requests

from magnum_lite_dev.openstack.nova import METADATA_SECRET

VERSION = 'openstack/2013-10-17'
TIMEOUT_S = 60


class Metadata:
    """Nova's metadata service, for any server.

    :param url: of its API.
    """

    def __init__(self, url) -> None:
        self._url = f'{url}/{VERSION}'

    def user_data(self, server, project) -> bytes:
        """The user data of a server of a project; empty when it has none.

        :raises requests.HTTPError: Nova does not know the server.
        """
        return self._call('GET', 'user_data', server, project)

    def keep_password(self, server, project, text) -> None:
        """Let Nova keep a password of a server, which has none yet.

        :raises requests.HTTPError: Nova refuses, or does not know the server.
        """
        self._call('POST', 'password', server, project, text)

    def _call(self, method, what, server, project, body=None) -> bytes:
        signature = hmac.new(METADATA_SECRET.encode(), server.encode(), hashlib.sha256)
        reply = requests.request(
            method,
            f'{self._url}/{what}',
            data=body,
            timeout=TIMEOUT_S,
            headers={
                'X-Instance-ID': server,
                'X-Tenant-ID': project,
                'X-Instance-ID-Signature': signature.hexdigest(),
                # Nova only wants to see one.
                'X-Forwarded-For': '127.0.0.1',
            },
        )
        if method == 'GET' and reply.status_code == 404:
            return b''
        reply.raise_for_status()
        return reply.content
