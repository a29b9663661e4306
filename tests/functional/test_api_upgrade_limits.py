"""The limits of the default workers follow the labels of the template that they are upgraded to."""

import pytest

from magnum_lite.db import store
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, Operation
from tests.fixtures import patch
from tests.functional.limits import WORKER, limits


@pytest.fixture
def api(at_most_eight):
    """A service whose clusters have at most eight nodes."""
    return at_most_eight


@pytest.mark.parametrize(
    ('old', 'own', 'new', 'group', 'found'),
    [
        # Labels that 1.0 did not look at: the group has limits of its own, which stay.
        (
            {'min_node_count': '4', 'max_node_count': '3'},
            {},
            {'min_node_count': '1'},
            (0, 9),
            (0, 9),
        ),
        ({'min_node_count': '4'}, {'max_node_count': '3'}, {'min_node_count': '5'}, (0, 9), (0, 9)),
        ({'min_node_count': 'two'}, {}, {'max_node_count': '5'}, (0, None), (0, 5)),
        # Limits that the group took from labels follow them, each by itself.
        (
            {'min_node_count': '1', 'max_node_count': '3'},
            {},
            {'max_node_count': '2'},
            (1, 3),
            (0, 2),
        ),
        (
            {'max_node_count': '3'},
            {},
            {'min_node_count': '1', 'max_node_count': '4'},
            (0, 6),
            (1, 6),
        ),
    ],
)
def test_only_limits_that_change_are_judged_by_an_upgrade(api, old, own, new, group, found):
    cluster = api.complete(api.template())
    uuid = cluster.split('/')[-1]
    template = api.ok('GET', cluster)['cluster_template_id']
    api.db.write(store.update, ClusterTemplate, {'labels': old}, uuid=template)
    api.db.write(store.update, Cluster, {'labels': {**old, **own}}, uuid=uuid)
    api.db.write(
        store.update,
        NodeGroup,
        dict(zip(('min_node_count', 'max_node_count'), group, strict=True)),
        name='default-worker',
    )
    api.ok(
        'POST',
        f'{cluster}/actions/upgrade',
        {'cluster_template': api.template(name='new', cluster_distro='debian', labels=new)},
    )
    assert limits(api, f'{cluster}/{WORKER}') == found


def test_an_upgrade_to_limits_that_contradict_those_of_the_group_is_refused(api):
    cluster = api.complete(api.template())
    api.ok('PATCH', f'{cluster}/{WORKER}', patch('max_node_count', 2))
    api.settle(cluster.split('/')[-1])
    template = api.template(name='new', cluster_distro='debian', labels={'min_node_count': '3'})
    error = api.refused(400, 'POST', f'{cluster}/actions/upgrade', {'cluster_template': template})
    assert (
        error['title'] == 'Invalid input for cluster_template: its label min_node_count is 3, '
        'node group default-worker has 1 nodes'
    )


class TestUpgrade:
    """Labels of a new template."""

    @pytest.fixture
    def cluster(self, api):
        """Path of a complete cluster of two to four nodes."""
        return api.complete(
            api.template(name='old', labels={'min_node_count': '2', 'max_node_count': '4'}),
            node_count=2,
        )

    def ask(self, api, cluster, **labels):
        """The answer to an upgrade to a template with other labels."""
        return api.call(
            'POST',
            f'{cluster}/actions/upgrade',
            {'cluster_template': api.template(name='new', cluster_distro='debian', labels=labels)},
        )

    def test_limits_follow_their_labels(self, api, cluster):
        assert self.ask(api, cluster, max_node_count='6').status_int == 202
        assert limits(api, f'{cluster}/{WORKER}') == (0, 6)
        api.ok('POST', f'{cluster}/actions/resize', {'node_count': 5})

    def test_limits_that_the_group_was_given_stay(self, api, cluster):
        api.ok('PATCH', f'{cluster}/{WORKER}', patch('max_node_count', 7))
        api.settle(cluster.split('/')[-1])
        assert self.ask(api, cluster, max_node_count='6').status_int == 202
        assert limits(api, f'{cluster}/{WORKER}') == (0, 7)

    def test_limits_go_back_when_it_fails(self, api, cluster):
        self.ask(api, cluster, max_node_count='6')
        with api.db.read() as connection:
            operation = store.find(connection, Operation, kind='upgrade')[0]
        worker = api.ok('GET', f'{cluster}/{WORKER}')['uuid']
        assert operation.wants.undo == {worker: {'min_node_count': 2, 'max_node_count': 4}}

    def test_limits_that_the_group_does_not_keep_are_refused(self, api, cluster):
        answer = self.ask(api, cluster, max_node_count='1')
        assert answer.status_int == 400
        assert answer.json['errors'][0]['title'] == (
            'Invalid input for cluster_template: its label max_node_count is 1, node group '
            'default-worker has 2 nodes'
        )
        assert api.ok('GET', cluster)['status'] == 'CREATE_COMPLETE'
        assert limits(api, f'{cluster}/{WORKER}') == (2, 4)
