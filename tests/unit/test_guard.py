"""A Keystone whose answer keystonemiddleware did not foresee is away, and no error of ours."""

import json

import pytest
import requests
import webob
from keystonemiddleware import auth_token

from magnum_lite.api.middleware import Identity
from tests import fixtures


@pytest.mark.parametrize(
    'error', [requests.exceptions.ChunkedEncodingError('half an answer'), ValueError('no JSON')]
)
def test_half_an_answer_of_keystone_is_a_503(tmp_path, monkeypatch, error):
    def fetch(self, token, **how):
        raise error

    monkeypatch.setattr(auth_token.AuthProtocol, 'fetch_token', fetch)
    guard = Identity(lambda environ, start: pytest.fail('reached'), fixtures.make_conf(tmp_path))
    request = webob.Request.blank('/v1/clusters', headers={'X-Auth-Token': 'a'})
    response = request.get_response(guard)
    assert response.status_int == 503
    assert 'Keystone' in json.loads(response.body)['errors'][0]['detail']
