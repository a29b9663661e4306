"""The versions of a cluster say together what it is: each has the state after its change."""

from dataclasses import replace

import pytest

from magnum_lite.db import claims, settle, store
from magnum_lite.driver_sdk import Status
from magnum_lite.objects import Cluster, ClusterTemplate, ClusterVersion, NodeGroup, Operation
from magnum_lite.objects.change import NONE, Change, Values, new
from tests import fixtures

# What is seen, counted or found out, and not asked for.
SEEN = {
    'id',
    'created_at',
    'updated_at',
    'status',
    'status_reason',
    'health_status',
    'health_status_reason',
    'stack_id',
    'api_address',
    'coe_version',
    'container_version',
    'node_addresses',
    'removed',
}
COUNTED = {'version', 'version_reason'}  # of a cluster; the text of a group is an attribute
DONE = Status('COMPLETE')


class History:
    """One cluster, and what was asked of it.

    :ivar by_previous: whether an API of release 1.0 accepts it, which writes two columns.
    """

    def __init__(self, database):
        self.database, self.by_previous = database, False
        self.template = ClusterTemplate.new(
            name='t', coe='c', image_id='i', project_id='p', user_id='u'
        )
        database.write(store.insert, self.template)
        common = {'project_id': 'p', 'status': 'CREATE_IN_PROGRESS'}
        cluster = Cluster.new(
            name='c',
            cluster_template_id=self.template.uuid,
            user_id='u',
            driver='d',
            driver_version=1,
            labels={'a': '1'},
            **common,
        )
        self.uuid = cluster.uuid
        groups = [
            NodeGroup.new(name=role, cluster_id=cluster.uuid, role=role, is_default=True, **common)
            for role in ('master', 'worker')
        ]
        self.master, self.worker = (group.uuid for group in groups)
        self.create = self.ask(
            cluster,
            Change(
                'create',
                at_once=Values(new(cluster)),
                added={group.uuid: new(group) for group in groups},
            ),
        )

    def ask(self, cluster, change, node_group=None):
        operation = Operation.new(
            cluster_id=self.uuid,
            kind=change.kind,
            reason=change.kind,
            project_id='p',
            user_id='u',
            node_group=node_group,
        )
        operation.uuid, _ = fixtures.accepted(self.database, cluster, operation, change)
        if self.by_previous:
            self.database.write(store.update, Operation, {'change': None}, uuid=operation.uuid)
        return operation

    def cluster(self):
        with self.database.read() as connection:
            return store.get(connection, Cluster, self.uuid)

    def change(self, kind, group=None, *, nodes=(), rollback=False, **values):
        """Ask for other values of a group."""
        group = group or self.worker
        return self.ask(
            self.cluster(),
            Change(
                kind,
                at_once=Values(groups={group: values}),
                nodes_to_remove=nodes,
                rollback=rollback,
            ),
            group,
        )

    def whole(self, kind, at_end, at_once=NONE, **options):
        """Ask for a change of the whole."""
        cluster = self.cluster()
        return self.ask(cluster, Change(kind, cluster.version, at_once, at_end, **options))

    def add(self, name):
        """Ask for a group."""
        group = NodeGroup.new(
            name=name,
            cluster_id=self.uuid,
            project_id='p',
            node_count=2,
            status='CREATE_IN_PROGRESS',
        )
        return self.ask(
            self.cluster(), Change('nodegroup_create', added={group.uuid: new(group)}), group.uuid
        )

    def remove(self, group):
        """Ask that a group goes."""
        return self.ask(self.cluster(), Change('nodegroup_delete', removed=(group,)), group)

    def lend(self):
        """Let somebody else own the cluster."""
        return self.whole(
            'rotate_credentials',
            NONE,
            Values(
                {
                    'user_id': 'other',
                    'identity': {'mode': 'trust'},
                    'application_credential': {'generation': 2},
                }
            ),
        )

    def end(self, operation, error=None):
        """Carry it out, or let it fail; what runs next."""
        self.database.write(claims.claim, operation.uuid, owner='w', lease_s=60)
        now = self.database.write(claims.step, operation.uuid, owner='w', lease_s=60)
        if error:
            return self.database.write(settle.failed, now, code='c', text=error, status=None)
        return self.database.write(settle.done, now, DONE)

    def mend(self):
        """Let a cluster in which something failed accept all that a complete one does."""
        for resource in (Cluster, NodeGroup):
            self.database.write(store.update, resource, {'status': 'UPDATE_COMPLETE'})

    def folded(self):
        """The cluster and its groups as the versions say, in their order.

        Of a change that failed counts what it leaves.
        """
        with self.database.read() as connection:
            versions = store.find(connection, ClusterVersion, cluster_id=self.uuid)
            operations = {
                operation.uuid: operation
                for operation in store.find(connection, Operation, cluster_id=self.uuid)
            }
        assert [entry.version for entry in versions] == list(range(1, len(versions) + 1))
        cluster, groups = {}, {}
        for entry in versions:
            operation = operations[entry.operation]
            found = left(operation.wants) if operation.state == 'FAILED' else entry.snapshot
            cluster |= found.get('cluster', {})
            for uuid, values in found.get('groups', {}).items():
                groups[uuid] = None if values is None else {**(groups.get(uuid) or {}), **values}
        return plain(cluster, COUNTED), {
            uuid: plain(values) for uuid, values in groups.items() if values is not None
        }

    def rows(self):
        """The same as the rows say."""
        with self.database.read() as connection:
            groups = store.find(connection, NodeGroup, cluster_id=self.uuid)
        return plain(self.cluster().as_row(), COUNTED), {
            group.uuid: plain(group.as_row()) for group in groups
        }


def left(change):
    """What a change leaves that failed: what it showed at once and does not put back."""
    groups = {
        uuid: {
            name: value for name, value in values.items() if name not in change.undo.get(uuid, {})
        }
        for uuid, values in change.at_once.groups.items()
    }
    return replace(
        change, at_end=NONE, removed=(), at_once=Values(change.at_once.cluster, groups)
    ).snapshot()


def plain(values, without=frozenset()):
    return {name: value for name, value in values.items() if name not in SEEN | without}


@pytest.fixture
def history(sqlite):
    """A complete cluster."""
    history = History(sqlite)
    history.end(history.create)
    return history


@pytest.fixture(params=['this release', 'release 1.0'])
def of_both(history, request):
    """The same, where the API of either release accepts what is asked for."""
    history.by_previous = request.param == 'release 1.0'
    return history


def ask_for_all(history):
    """Yield operations of all kinds, each to be ended before the next."""
    added = history.add('more')
    yield added
    yield history.change('resize', node_count=3)
    yield history.change('update', node_count=4)
    yield history.change(
        'nodegroup_update', added.node_group, max_node_count=7, node_labels={'disk': 'ssd'}
    )
    yield history.whole(
        'upgrade',
        Values(
            {'labels': {'a': '2'}, 'facts': {'image': {'id': 'j'}}},
            {history.worker: {'image_id': 'j'}, added.node_group: {'image_id': 'j'}},
        ),
        Values(groups={history.worker: {'min_node_count': 1}}),
        max_batch_size=2,
    )
    yield history.whole('rotate_ca', Values({'ca_generation': history.cluster().ca_generation + 1}))
    yield history.lend()
    yield history.remove(added.node_group)


def test_the_versions_say_what_each_kind_of_change_has_made(of_both):
    assert of_both.folded() == of_both.rows()
    for operation in ask_for_all(of_both):
        of_both.end(operation)
        assert of_both.folded() == of_both.rows(), operation.kind


def test_a_change_that_failed_counts_for_what_it_left(history):
    for operation in ask_for_all(history):
        history.end(operation, 'no')
        assert history.folded() == history.rows(), operation.kind
        history.mend()


def test_a_creation_that_failed_counts(sqlite):
    history = History(sqlite)
    history.end(history.create, 'no')
    assert history.folded() == history.rows()


@pytest.mark.parametrize('error', [None, 'no'])
def test_changes_that_wait_and_join_count_in_their_order(of_both, error):
    history = of_both
    first = history.change('resize', node_count=3)
    second = history.change('resize', nodes=('0',), node_count=5)
    assert history.change('nodegroup_update', max_node_count=8).uuid == second.uuid
    assert history.end(first, error) == second.uuid
    assert history.folded() == history.rows()
    third = history.change('resize', node_count=6)
    assert history.end(second, error) == third.uuid
    assert history.folded() == history.rows()
    history.end(third, error)
    assert history.folded() == history.rows()


def test_a_way_back_changes_nothing_that_was_asked_for_later(of_both):
    history = of_both
    first = history.change('update', node_count=3, rollback=True)
    later = history.change('resize', node_count=5)
    back = history.end(first, 'no')
    assert history.folded() == history.rows()
    assert history.end(Operation(uuid=back)) == later.uuid
    assert history.folded() == history.rows()
    history.end(later, 'no')
    assert history.folded() == history.rows()
    assert history.rows()[1][history.worker]['node_count'] == 1
