"""The table of personas, each row asked by everybody; and that it has every endpoint."""

import pytest

from magnum_lite.api import controllers  # noqa: F401 - registers the endpoints
from magnum_lite.api.endpoint import ENDPOINTS
from tests import fixtures
from tests.personas import (
    ADMIN,
    MEMBER,
    NOBODY,
    OWNER,
    PERSONAS,
    READER,
    STRANGER,
    TABLE,
    filled,
)

TOKENS = {
    ADMIN: 'root:blue:admin,member,reader',
    OWNER: 'alice:red',
    MEMBER: 'bob:red',
    READER: 'rita:red:reader',
    STRANGER: 'bob:green',
    NOBODY: 'nina:red:none',
}


@pytest.fixture(scope='module')
def api(tmp_path_factory, heat):
    """One service for all rows; each has clusters of its own."""
    conf = fixtures.make_conf(
        tmp_path_factory.mktemp('personas'), catalog=heat.catalog, api={'cluster_quota': 10000}
    )
    with fixtures.service(conf) as running:
        yield running
    fixtures.forget_conf()


@pytest.fixture
def template(api):
    """A template of the owner's."""
    return api.template(name='t')


def test_every_endpoint_has_a_row():
    assert {(known.method, known.path) for known in ENDPOINTS} == set(TABLE)


@pytest.mark.parametrize('place', TABLE, ids=' '.join)
def test_each_persona_is_answered_as_the_table_says(api, template, place):
    method, path = place
    row = TABLE[place]
    seen = {}
    for persona in PERSONAS:  # each finds what none before has changed
        cluster = api.cluster(template)
        api.settle(cluster)
        operation = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][0]['uuid']
        names = {
            'template': template,
            'cluster': cluster,
            'operation': operation,
            'nodegroup': 'default-worker',
            'driver': 'kubernetes',
            'federation': 'none',
            'project': 'red',
            'resource': 'Cluster',
        }
        url = filled(path if path in ('/', '/v1') else f'/v1{path}', names)
        seen[persona] = api.call(
            method, url, filled(row.body, names), token=TOKENS[persona]
        ).status_int
    assert seen == {persona: row.expected(persona) for persona in PERSONAS}
