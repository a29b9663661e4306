"""Every request that changes something, twice: while the first is at work, and when it is done.

The second does what the first did or is refused, and never harms what is healthy.
"""

import pytest

from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.db import store
from magnum_lite.objects import DriverVersion
from tests.fixtures import patch

ADMIN = 'root:ops:admin'
QUOTA = {'project_id': 'blue', 'resource': 'Cluster', 'hard_limit': 5}
UUID = 'aaaaaaaa-8a55-4d5e-9d0a-2f5b6c7d8e91'


# {name: (method, path, body, status of the first, while it is at work, when it is done)}
CHANGES = {
    'count': ('PATCH', '{cluster}', patch('node_count', 2), 202, 400, 202),
    'health': ('PATCH', '{cluster}', patch('health_status', 'HEALTHY'), 202, 202, 202),
    'resize': ('POST', '{cluster}/actions/resize', {'node_count': 2}, 202, 202, 202),
    'upgrade': ('POST', '{cluster}/actions/upgrade', {'cluster_template': 'newer'}, 202, 400, 202),
    'authorities': ('PATCH', '/v1/certificates/{uuid}', None, 202, 400, 202),
    'credentials': ('PATCH', '/v1/credentials/{uuid}', None, 202, 400, 202),
    'group': ('POST', '{cluster}/nodegroups', {'name': 'x'}, 202, 409, 409),
    'limits': (
        'PATCH',
        '{cluster}/nodegroups/default-worker',
        patch('max_node_count', 5),
        202,
        202,
        202,
    ),
    'deletion of a group': ('DELETE', '{cluster}/nodegroups/more', None, 204, 204, 204),
    'deletion': ('DELETE', '{cluster}', None, 204, 204, 204),
    'template': (
        'POST',
        '/v1/clustertemplates',
        {'uuid': UUID, 'coe': 'kubernetes', 'image_id': 'debian-13'},
        201,
        409,
        409,
    ),
    'change of a template': (
        'PATCH',
        '/v1/clustertemplates/newer',
        patch('name', 'newer'),
        200,
        200,
        200,
    ),
    'deletion of a template': ('DELETE', '/v1/clustertemplates/newer', None, 204, 404, 404),
    'quota': ('POST', '/v1/quotas', QUOTA, 201, 409, 409),
    'change of a quota': (
        'PATCH',
        '/v1/quotas/red/Cluster',
        QUOTA | {'project_id': 'red'},
        202,
        202,
        202,
    ),
    'deletion of a quota': ('DELETE', '/v1/quotas/red/Cluster', None, 204, 404, 404),
}
# Operations of the cluster afterwards: its creation, that of its group, and the first; of a group
# one more may wait, which all others join.
WITH_BOTH = {'resize': 4, 'limits': 4}
# Made anew each time, by the contract; enrolment, federations and certificates have tests of their
# own.
NEW_EACH_TIME = {
    ('POST', '/clusters'),
    ('POST', '/certificates'),
    ('POST', '/enrolments'),
    ('POST', '/enrolments/reports'),
    ('POST', '/federations'),
    ('PATCH', '/federations/{federation}'),
    ('DELETE', '/federations/{federation}'),
}


@pytest.fixture
def places(api):
    """``{place: path}``, of a complete cluster with a further group, a template and a quota."""
    api.db.write(
        store.update,
        DriverVersion,
        {'capabilities': ['rotate_ca', 'update', 'upgrade']},
        name='kubernetes',
    )
    uuid = api.cluster(api.template())
    api.settle(uuid)
    api.template(name='newer')
    api.ok('POST', f'/v1/clusters/{uuid}/nodegroups', {'name': 'more'})
    api.settle(uuid)
    api.ok('POST', '/v1/quotas', {**QUOTA, 'project_id': 'red'}, token=ADMIN)
    return {'uuid': uuid, 'cluster': f'/v1/clusters/{uuid}'}


def test_every_request_that_changes_something_has_an_entry():
    known = {
        (
            method,
            path.format(cluster='/v1/clusters/{cluster}', uuid='{cluster}').removeprefix('/v1'),
        )
        for method, path, *_ in CHANGES.values()
    }
    for name, word in (
        ('default-worker', '{nodegroup}'),
        ('more', '{nodegroup}'),
        ('newer', '{template}'),
        ('red/Cluster', '{project}/{resource}'),
    ):
        known = {(method, path.replace(f'/{name}', f'/{word}')) for method, path in known}
    assert known | NEW_EACH_TIME == {
        (one.method, one.path) for one in ENDPOINTS if one.method != 'GET'
    }


@pytest.mark.parametrize('is_done', [False, True], ids=['at work', 'done'])
@pytest.mark.parametrize('name', CHANGES)
def test_the_second_of_two_alike_harms_nothing(name, is_done, api, places):
    method, path, body, first, *later = CHANGES[name]
    path = path.format(**places)
    token = ADMIN if 'quota' in name else 'alice:red'
    assert api.call(method, path, body, token=token).status_int == first
    status = api.ok('GET', places['cluster'])['status']
    if is_done and not name.startswith('deletion'):
        status = 'UPDATE_COMPLETE'
        api.settle(places['uuid'], status)
    assert api.call(method, path, body, token=token).status_int == later[is_done]
    assert api.ok('GET', places['cluster'])['status'] in (status, 'UPDATE_IN_PROGRESS')
    if not is_done:  # one does the work of both
        path = f'{places["cluster"]}/operations'
        assert len(api.ok('GET', path)['operations']) <= WITH_BOTH.get(name, 3)
