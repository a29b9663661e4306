"""No input gives a 5xx, and no answer tells of SQL or of our code."""

import json
import random

import pytest

from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.objects import Cluster, ClusterTemplate, Quota

# Whom nothing is refused, so that input gets as far as it can.
TOKEN = 'alice:red:member,reader,admin'
DEEP = b'[' * 100_000 + b']' * 100_000
VALUES = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    10**400,
    '',
    ' ',
    '0',
    'x' * 300,
    'x' * 70_000,
    '\0',
    '\ud800',
    '\U0001f600',
    "'; DROP TABLE clusters; --",
    '%s%n{0}{x}',
    '../..',
    '$(id)',
    [],
    [[]],
    [None],
    {},
    {'': ''},
    {'a': None},
    {'a': {'b': 1}},
    {'\0': '\0'},
    {'\ud800': 'x'},
    {'x' * 300: 'y'},
    '{' * 3000,
    '-' * 60_000,
    '[' * 2000,
    '(' * 60_000,
    "{'a': 1}",
    'True',
    'nan',
    float('inf'),
    'é' * 255,
)
BODIES = (
    b'',
    b'{',
    b'\xff\xfe',
    b'null',
    b'[]',
    b'{}',
    b'[{}]',
    b'"x"',
    b'5',
    DEEP,
    b'{"a":' * 50_000,
    b'1' * 5000,
    b'\xef\xbb\xbf{}',
    b'{"node_count": 1e999}',
    b'x' * 1_100_000,
    json.dumps([None]).encode(),
    b'[{"op": {}, "path": []}]',
)
SEGMENTS = (
    'x',
    '%00',
    '%ff',
    '..',
    '.',
    '%2e%2e',
    '%2f',
    "';--",
    'x' * 3000,
    '%F0%9F%98%80',
    '{}',
    'detail',
    '5d12f6fd-a196-4bf0-ae4c-1f639a523a52',
    '-',
    '1',
)
QUERIES = (
    'limit=%00',
    'limit=9' + '9' * 5000,
    'marker=%ff',
    'sort_key=labels',
    'sort_key=',
    'sort_key=id',
    'sort_dir=',
    'sort_key=__class__',
    'a' * 5000,
    '%ff=%ff',
    '&&&',
    '=',
    'limit=1&limit=2',
    'rollback=%00',
    'role=%00',
    'role=%F0%9F%98%80',
    'ca_cert_type=%00',
    '&'.join(f'a{n}=1' for n in range(300)),
    'sort_key=status_reason',
    'limit=1e3',
)
# What is no name of anything that there is, also where a database compares texts loosely.
ODD = (
    '%00',
    'c1%00',
    '%0A',
    '%20',
    'c1%20',
    'small%20',
    'default-worker%20',
    'kubernetes%20',
    '%20c1',
    'C1',
    '_1',
    '%C3%A71',
    '%25',
    'c%25',
    '%F0%9F%98%80',
    '%F0%9F%98%80c1',
    '%C3%A9' * 255,
    'y' * 300,
    '1e9',
    'a%20b%20c',
    '%5C',
    '%27',
    '%22',
    '%ED%A0%80',
    '%EF%BF%BF',
    '-1',
    '9' * 30,
    '5d12f6fda1964bf0ae4c1f639a523a52',
)
LEAKS = ('Traceback', 'sqlalchemy', 'SELECT ', 'INSERT ', 'sqlite', '.py')


def check(response, what):
    """An answer that a client can live with."""
    assert response.status_int < 500, (what, response.text)
    assert not any(leak in response.text for leak in LEAKS), (what, response.text)
    if response.status_int >= 400:
        error = response.json['errors'][0]
        assert error['status'] == response.status_int and 'title' in error, what
        assert error['request_id'] == response.headers['X-Openstack-Request-Id'], what


def endpoints():
    """All endpoints but discovery."""
    return [known for known in ENDPOINTS if known.rule]


def test_bodies(api, places):
    for known in endpoints():
        if known.needs_body:
            for body in BODIES:
                path = '/v1' + known.path.format(**places)
                response = api.call(known.method, path, body, token=TOKEN)
                check(response, (known.method, path, body[:50]))
                assert response.status_int != 200 or body == b'[]'


@pytest.mark.parametrize(
    'path, resource, given',
    [
        ('/v1/clusters', Cluster, {'cluster_template_id': 'small'}),
        ('/v1/clustertemplates', ClusterTemplate, {'coe': 'kubernetes', 'image_id': 'debian-13'}),
        ('/v1/quotas', Quota, {'project_id': 'red'}),
        ('/v1/certificates', None, {'cluster_uuid': 'c1', 'csr': 'x'}),
        ('/v1/clusters/c1/actions/resize', None, {'node_count': 1}),
    ],
)
def test_values_of_attributes(api, places, path, resource, given):
    names = {*given, 'nodes_to_remove', 'nodegroup', 'ca_cert_type'}
    names |= set(resource.attributes()) if resource else set()
    chosen = random.Random(1)
    for name in sorted(names):
        for value in chosen.sample(VALUES, 14):
            response = api.call('POST', path, {**given, name: value}, token=TOKEN)
            check(response, (path, name, str(value)[:50]))


def test_labels(api, places):
    for value in VALUES:
        for body in (
            {'labels': {'kube_tag': value}},
            {'labels': {'boot_volume_size': value}},
            {'labels': {str(value): 'x'}},
            {'labels': value},
        ):
            response = api.call('POST', '/v1/clusters', {'cluster_template_id': 'small', **body})
            check(response, str(body)[:80])


def test_patches(api, places):
    for path, resource in (
        (f'/v1/clusters/{places["cluster"]}', Cluster),
        (f'/v1/clustertemplates/{places["template"]}', ClusterTemplate),
    ):
        chosen = random.Random(2)
        for name in (*resource.attributes(), 'ssh_public_key', 'labels/x', 'name/x', 'facts'):
            for value in chosen.sample(VALUES, 7):
                for op in ('add', 'replace', 'remove'):
                    step = {'op': op, 'path': f'/{name}', 'value': value}
                    check(api.call('PATCH', path, [step]), (path, str(step)[:90]))


def test_paths_and_queries(api, places):
    for known in endpoints():
        path = '/v1' + known.path
        for segment in SEGMENTS:
            strange = path.format(**dict.fromkeys(places, segment))
            check(api.call(known.method, strange, {}, token=TOKEN), (known.method, strange[:80]))
        for query in QUERIES:
            asked = path.format(**places) + '?' + query
            if known.method != 'DELETE':
                check(api.call(known.method, asked, {}, token=TOKEN), (known.method, asked[:80]))


def test_odd_names_find_nothing(api, places):
    """In the place of the last name of a path, behind others that exist, and in queries."""
    for known in endpoints():
        if known.method not in ('GET', 'DELETE'):
            continue
        before, _, last = ('/v1' + known.path).rpartition('/')
        for odd in ODD:
            asked = (
                [f'{(before + "/" + last).format(**places)}?{name}={odd}' for name in known.query]
                if known.method == 'GET'
                else []
            )
            if last.startswith('{'):
                asked.append(f'{before.format(**places)}/{odd}')
            for path in asked:
                response = api.call(known.method, path, token=TOKEN)
                check(response, (known.method, path[:80]))
                # A project has a limit of whatever resource.
                assert '?' in path or 'quotas' in path or response.status_int in (400, 404), path
    assert api.ok('GET', f'/v1/clusters/{places["cluster"]}')['name'] == 'c1'


def test_headers(api):
    for name, value in (
        ('OpenStack-API-Version', 'é'),
        ('OpenStack-API-Version', ' '),
        ('OpenStack-API-Version', 'container-infra 1.' + '9' * 5000),
        ('OpenStack-API-Version', 'container-infra ١.١'),
        ('Accept', ';;;,,,q'),
        ('Accept', '\xff'),
        ('Content-Type', '\xff/é'),
        ('Host', 'a b'),
        ('X-Roles', 'admin'),
        ('Transfer-Encoding', 'chunked'),
    ):
        response = api.call('GET', '/v1/mservices', headers={name: value}, version=None)
        check(response, (name, value))
        assert response.status_int != 200


def test_a_failure_of_ours_says_nothing_but_its_request_id(api, monkeypatch):
    monkeypatch.setattr(api.application.service.db, 'read', lambda: 1 / 0)
    error = api.refused(500, 'GET', '/v1/clusters')
    assert error['code'] == 'server' and 'ZeroDivision' not in str(error)
    assert error['request_id'].startswith('req-')
