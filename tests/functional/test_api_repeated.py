"""Nodes that are removed by name, asked for again and again, with a worker and the real driver."""

import uuid

import pytest

from magnum_lite.db.tables import ledger
from magnum_lite.driver_sdk.enrolment import GROUP_KEY
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

WORKER = 'nodegroups/default-worker'


class Cluster:
    """A cluster as who scales and heals it sees it.

    :ivar path: where it is.
    """

    def __init__(self, api, heat, count):
        self.api, self.heat = api, heat
        self.path = f'/v1/clusters/{api.cluster(api.template(), node_count=count)}'
        api.wait(self.path, status='CREATE_COMPLETE')
        self.group = api.ok('GET', f'{self.path}/{WORKER}')['uuid']

    def servers(self):
        """{name: id} of the workers in Nova."""
        return {
            server['name']: ident
            for ident, server in self.heat.state()['servers'].items()
            if server['metadata'].get(GROUP_KEY) == self.group
        }

    def resize(self, count, *nodes):
        """The answer to a resize."""
        return self.api.call(
            'POST',
            f'{self.path}/actions/resize',
            {'node_count': count, 'nodes_to_remove': list(nodes)},
        )

    def done(self, count, *nodes):
        """Resize, and wait until it is done."""
        answer = self.resize(count, *nodes)
        assert answer.status_int == 202, answer.text
        self.api.wait(self.path, status='UPDATE_COMPLETE')
        assert len(self.servers()) == count
        return self.journal()

    def journal(self):
        """The steps of the newest operation, as one text."""
        path = f'{self.path}/operations'
        newest = self.api.ok('GET', path)['operations'][-1]['uuid']
        return '\n'.join(step['text'] for step in self.api.ok('GET', f'{path}/{newest}')['steps'])


@pytest.fixture
def api(conf):
    """The service with a worker that has the Kubernetes driver."""
    conf.set_override('enabled', False, 'enrolment')  # nothing listens for nodes here
    with fixtures.working(conf, Kubernetes()) as running:
        yield running


def test_a_node_that_is_gone_is_done_and_one_that_never_was_is_refused(api, heat):
    cluster = Cluster(api, heat, 3)
    victim = sorted(cluster.servers().items())[0][1]
    assert 'members [0] of the group are to go' in cluster.done(2, victim)
    left = cluster.servers()
    assert victim not in left.values()
    for node in (victim, '0'):
        assert f'gone already: {node}' in cluster.done(2, node)
    journal = cluster.done(2, victim, sorted(left.items())[0][1])
    assert f'gone already: {victim}' in journal and 'members [1]' in journal
    for stranger in (str(uuid.uuid4()), '17', 'nonsense'):
        answer = cluster.resize(2, victim, stranger)
        assert answer.status_int == 400
        assert answer.json['errors'][0]['title'] == (
            'Invalid input for nodes_to_remove: a node that default-worker has or had is expected, '
            f'by the id of its server or its member index, not "{stranger}"'
        )
        assert api.ok('GET', cluster.path)['status'] == 'UPDATE_COMPLETE'


def test_a_node_that_went_by_itself_is_done_too(api, heat):
    cluster = Cluster(api, heat, 2)
    last = sorted(cluster.servers().items())[-1][1]
    cluster.done(1)
    assert f'gone already: {last}' in cluster.done(1, last)


def test_nodes_of_a_cluster_that_an_earlier_release_made_are_remembered_once_they_are_named(
    api, heat
):
    cluster = Cluster(api, heat, 2)
    victim = sorted(cluster.servers().items())[0][1]
    api.db.write(
        lambda connection: connection.execute(
            ledger.delete().where(ledger.c.kind.startswith('member'))
        )
    )
    cluster.done(2, victim)
    assert f'gone already: {victim}' in cluster.done(2, victim)
    assert cluster.resize(2, 'nonsense').status_int == 400


def test_the_same_replacement_is_asked_for_before_the_first_is_made(api, heat):
    cluster = Cluster(api, heat, 2)
    victim = sorted(cluster.servers().items())[0][1]
    for _ in range(4):
        assert cluster.resize(2, victim).status_int == 202
    api.wait(cluster.path, status='UPDATE_COMPLETE')
    assert len(cluster.servers()) == 2 and victim not in cluster.servers().values()
