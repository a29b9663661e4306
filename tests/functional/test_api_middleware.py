"""CORS, proxies, the public endpoint, large bodies, the health check: as operators turn them on.

The cloud does not answer, which lets requests in.
"""

import io
import json

import webob

BROWSER = {
    'Origin': 'https://horizon.example',
    'Access-Control-Request-Method': 'PATCH',
    'Access-Control-Request-Headers': 'X-Auth-Token, OpenStack-API-Version',
}
PROXY = {
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'cloud.example',
    'X-Forwarded-Prefix': '/containers',
    'X-Forwarded-For': '192.0.2.7',
}


def ask(api, method, path, **headers):
    """An answer to a request without a token."""
    return api.call(
        method,
        path,
        token=None,
        version=None,
        headers={name.replace('_', '-'): value for name, value in headers.items()},
    )


def test_a_browser_may_ask_when_its_origin_is_allowed(configured):
    with configured(cors={'allowed_origin': 'https://horizon.example'}) as api:
        for path in ('/v1/clusters', '/v1', '/nothing/is/here', '/healthcheck'):
            response = ask(api, 'OPTIONS', path, **BROWSER)
            assert (response.status_int, response.body) == (200, b'')
            assert response.headers['Access-Control-Allow-Origin'] == 'https://horizon.example'
            assert response.headers['Access-Control-Allow-Methods'] == 'PATCH'
            assert 'x-auth-token' in response.headers['Access-Control-Allow-Headers'].lower()
            assert 'X-Openstack-Request-Id' not in response.headers
        shown = api.call('GET', '/v1/clusters', headers={'Origin': 'https://horizon.example'})
        assert shown.headers['Access-Control-Allow-Origin'] == 'https://horizon.example'
        exposed = shown.headers['Access-Control-Expose-Headers']
        assert {'OpenStack-API-Version', 'X-OpenStack-Request-ID'} <= set(exposed.split(','))
        assert 'OpenStack-API-Version' in shown.headers['Vary']
        refused = ask(api, 'GET', '/v1/clusters', Origin='https://horizon.example')
        assert refused.status_int == 401
        assert refused.headers['Access-Control-Allow-Origin'] == 'https://horizon.example'


def test_another_origin_is_told_nothing(configured):
    with configured(cors={'allowed_origin': 'https://horizon.example'}) as api:
        response = ask(api, 'OPTIONS', '/v1/clusters', **{**BROWSER, 'Origin': 'https://evil'})
        assert response.status_int == 200
        assert 'Access-Control-Allow-Origin' not in response.headers


def test_without_cors_options_is_no_method(configured):
    with configured() as api:
        response = ask(api, 'OPTIONS', '/v1/clusters', **BROWSER)
        assert response.status_int == 405
        assert response.json['errors'][0]['status'] == 405


def test_a_proxy_is_not_believed_unasked(configured):
    with configured() as api:
        assert _self(ask(api, 'GET', '/', **PROXY)) == 'http://localhost/v1/'


def test_links_are_those_of_the_proxy_when_it_is_expected(configured):
    with configured(oslo_middleware={'enable_proxy_headers_parsing': 'true'}) as api:
        assert _self(ask(api, 'GET', '/', **PROXY)) == 'https://cloud.example/containers/v1/'
        assert (
            _self(ask(api, 'GET', '/', Forwarded='for=1.2.3.4;proto=https;host=a.example'))
            == 'https://a.example/v1/'
        )
        created = api.call(
            'POST',
            '/v1/clustertemplates',
            {'coe': 'kubernetes', 'image_id': 'debian-13'},
            headers=PROXY,
        )
        assert created.headers['Location'].startswith(
            'https://cloud.example/containers/v1/clustertemplates/'
        )


def test_a_proxy_cannot_make_a_caller_local(configured):
    with configured(oslo_middleware={'enable_proxy_headers_parsing': 'true'}) as api:
        request = webob.Request.blank('/v1/clusters', environ={'REMOTE_ADDR': '192.0.2.1'})
        request.headers.update({'X-Auth-Token': 'alice:red', 'X-Forwarded-For': '127.0.0.1'})
        assert request.get_response(api.application).status_int == 403


def test_links_start_with_the_public_endpoint(configured):
    base = 'https://cloud.example/container-infra'
    with configured(api={'public_endpoint': f'{base}/'}) as api:
        assert _self(ask(api, 'GET', '/')) == f'{base}/v1/'
        version = ask(api, 'GET', '/v1').json
        assert [link['href'] for link in version['clusters']] == [
            f'{base}/v1/clusters/',
            f'{base}/clusters/',
        ]
        assert ask(api, 'GET', '/v1/openapi.json').json['servers'] == [{'url': base}]
        template = api.template()
        shown = api.ok('GET', f'/v1/clustertemplates/{template}')
        assert shown['links'][0]['href'] == f'{base}/v1/clustertemplates/{template}'
        page = api.ok('GET', '/v1/clustertemplates?limit=1')
        assert page['next'].startswith(f'{base}/v1/clustertemplates?')


def test_a_large_body_is_refused(configured):
    with configured(oslo_middleware={'max_request_body_size': '1000'}) as api:
        error = api.refused(413, 'POST', '/v1/clusters', b'x' * 1001)
        assert error['title'] == 'A body of at most 1000 bytes is expected'
        assert error['code'] == 'client' and error['request_id'].startswith('req-')
        assert (
            api.refused(400, 'POST', '/v1/clusters', b'x' * 1000)['title'] == 'The body is not JSON'
        )


def test_a_large_body_in_chunks_is_refused(configured):
    with configured(oslo_middleware={'max_request_body_size': '1000'}) as api:
        for size, status in ((900, 400), (1001, 413), (300_000, 413)):
            text = io.BytesIO(json.dumps({'name': 'x' * (size - 12)}).encode())
            request = webob.Request.blank(
                '/v1/clusters',
                method='POST',
                environ={
                    'REMOTE_ADDR': '127.0.0.1',
                    'wsgi.input': text,
                    'wsgi.input_terminated': True,
                },
            )
            request.headers.update(
                {
                    'Transfer-Encoding': 'chunked',
                    'X-Auth-Token': 'alice:red',
                    'Content-Type': 'application/json',
                }
            )
            response = request.get_response(api.application)
            assert response.status_int == status, response.text
            assert response.json['errors'][0]['status'] == status
        assert '1000 bytes' in response.json['errors'][0]['detail']


def test_a_file_takes_a_host_out_of_the_load_balancer(configured, tmp_path):
    off = tmp_path / 'off'
    with configured(
        healthcheck={'backends': 'disable_by_file', 'disable_by_file_path': off}
    ) as api:
        assert ask(api, 'GET', '/healthcheck').status_int == 200
        off.touch()
        assert ask(api, 'GET', '/healthcheck').status_int == 503
        assert api.call('GET', '/v1/clusters').status_int == 200


def _self(response):
    return response.json['versions'][0]['links'][0]['href']
