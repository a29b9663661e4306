"""An API process of this release over rows that a later one wrote: words that it does not know."""

import pytest

from magnum_lite.api.endpoint import ENDPOINTS
from magnum_lite.db import store
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion, NodeGroup, Operation
from magnum_lite.objects.fields import Enum

ADMIN = 'alice:red:member,reader,admin'
LATER = 'invented_later'


def words():
    """(resource, attribute) of all columns that hold one of some words."""
    for resource in (Cluster, ClusterTemplate, DriverVersion, NodeGroup, Operation):
        for name, attribute in resource.attributes().items():
            if isinstance(attribute.kind, Enum):
                yield pytest.param(resource, name, id=f'{resource.__name__}.{name}')


def looks(places):
    """The paths of all views."""
    for known in ENDPOINTS:
        if known.method == 'GET':
            yield ('/v1' if known.rule else '') + known.path.format(**places)


@pytest.mark.parametrize('resource, name', list(words()))
def test_a_word_of_a_later_release_is_shown_and_breaks_no_view(api, places, resource, name):
    shown = {path: api.call('GET', path, token=ADMIN).status_int for path in looks(places)}
    assert set(shown.values()) == {200, 404, 409}  # no federation, no certificate yet
    api.db.write(store.update, resource, {name: LATER})
    showing = []
    for path, status in shown.items():
        response = api.call('GET', path, token=ADMIN)
        assert response.status_int == status, (path, response.text)
        showing += [path] if f'"{LATER}"' in response.text else []
    assert showing


@pytest.mark.parametrize('waits', [False, True])
def test_a_cluster_with_an_operation_of_a_later_release_is_changed_and_deleted(api, places, waits):
    cluster = f'/v1/clusters/{places["cluster"]}'
    api.settle(places['cluster'])
    if waits:
        api.ok('POST', f'{cluster}/actions/resize', {'node_count': 1})
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 2})
    theirs = api.ok('GET', f'{cluster}/operations')['operations'][-1]['uuid']
    api.db.write(store.update, Operation, {'kind': LATER}, uuid=theirs)
    api.ok('POST', f'{cluster}/actions/resize', {'node_count': 3})
    api.ok('POST', f'{cluster}/nodegroups', {'name': 'more'})
    api.ok('DELETE', cluster)
    overtaken = api.ok('GET', f'{cluster}/operations/{theirs}')
    assert overtaken['kind'] == LATER and overtaken['state'] in ('CANCELLED', 'SUPERSEDED')


def test_a_cluster_in_a_state_of_a_later_release_is_refused_and_not_said_to_be_deleted(api, places):
    cluster = f'/v1/clusters/{places["cluster"]}'
    api.db.write(store.update, Cluster, {'status': LATER})
    for method, path, body in (
        ('POST', f'{cluster}/actions/resize', {'node_count': 2}),
        ('DELETE', cluster, None),
    ):
        assert LATER in api.refused(400, method, path, body)['detail']
    assert len(api.ok('GET', f'{cluster}/operations')['operations']) == 1
