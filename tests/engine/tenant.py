"""Somebody who wants clusters."""

import time
import uuid

from magnum_lite.cloud import identity
from magnum_lite.cloud.heat import Heat
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import store
from magnum_lite.driver_sdk import tags
from magnum_lite.objects import Cluster, ClusterTemplate, NodeGroup, Operation, nodegroup
from magnum_lite.objects.change import Change, Values, new
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.rig.tiny import Tiny
from tests import fixtures

FACTS = {'image': {'id': 'i', 'name': 'debian', 'os_distro': 'debian'}}
WHO = {'mode': 'none', 'user_id': 'ann', 'roles': ['member', 'reader']}


class Tenant:
    """Somebody who wants clusters, in a project of their own, and looks at them.

    Writes what the API would write, and nothing else.
    """

    def __init__(self, conf, database, project, driver=None):
        driver = driver or Tiny()
        self.database = database
        self.backend = None if isinstance(driver.backend, str) else driver.backend
        self.project = project
        self.who = {**WHO, 'project_id': project}
        self.heat = Heat(conf, identity.session(conf, self.who, timeout_s=20))
        self.template = ClusterTemplate.new(
            name='t', coe='tiny', image_id='debian-13', project_id=project, user_id='ann'
        )
        Registry({'tiny': driver}).publish(database)
        database.write(store.insert, self.template)

    def create(self, *, nodes=1, labels=None, timeout_min=15, facts=FACTS, image='debian-13'):
        """Ask for a cluster; the operation."""
        if image != self.template.image_id:
            self.database.write(
                store.update, ClusterTemplate, {'image_id': image}, uuid=self.template.uuid
            )
        common = {'project_id': self.project, 'status': 'CREATE_IN_PROGRESS'}
        cluster = Cluster.new(
            name='c',
            cluster_template_id=self.template.uuid,
            user_id='ann',
            driver='tiny',
            driver_version=1,
            labels=labels or {},
            facts=facts,
            identity=self.who,
            **common,
        )
        groups = [
            NodeGroup.new(
                name=f'default-{role}',
                cluster_id=cluster.uuid,
                role=role,
                node_count=count,
                image_id='debian-13',
                is_default=True,
                **common,
            )
            for role, count in (('master', 1), ('worker', nodes))
        ]
        return self._ask(
            cluster,
            Change(
                'create',
                at_once=Values(new(cluster)),
                added={group.uuid: new(group) for group in groups},
            ),
            timeout_min=timeout_min,
        )

    def resize(self, cluster_id, nodes, *, remove=(), name='default-worker', rollback=False):
        """Ask for another number of nodes of a group; the operation."""
        group = self.groups(cluster_id)[name]
        return self._ask(
            self.cluster(cluster_id),
            Change(
                'resize',
                at_once=Values(groups={group.uuid: {'node_count': nodes}}),
                nodes_to_remove=tuple(remove),
                rollback=rollback,
            ),
            group.uuid,
        )

    def add_group(self, cluster_id, name, *, nodes=1, flavor=None):
        """Ask for a node group; the operation."""
        cluster = self.cluster(cluster_id)
        group = NodeGroup.new(
            name=name,
            cluster_id=cluster.uuid,
            node_count=nodes,
            image_id='debian-13',
            project_id=self.project,
            flavor_id=flavor,
            status='CREATE_IN_PROGRESS',
        )
        return self._ask(
            cluster, Change('nodegroup_create', added={group.uuid: new(group)}), group.uuid
        )

    def remove_group(self, cluster_id, name):
        """Ask for the deletion of a node group; the operation, or None if it is under way."""
        uuid = self.groups(cluster_id)[name].uuid
        change = Change('nodegroup_delete', removed=(uuid,))
        return self._ask(self.cluster(cluster_id), change, uuid)

    def whole(self, cluster_id, kind, *, cluster=None, groups=None, node_group=None, **options):
        """Ask for a change of the whole cluster, or of a group's, which then has these values; the
        operation."""
        found, rows = self.cluster(cluster_id), self.groups(cluster_id).values()
        shows = {row.uuid for row in rows} - nodegroup.unformed(rows)
        return self._ask(
            found,
            Change(kind, found.version, at_end=Values(cluster or {}, groups or {}), **options),
            node_group,
            shows=shows if kind == 'upgrade' and not node_group else (),
        )

    def delete(self, cluster_id):
        """Ask for the deletion; the operation."""
        operation = self._ask(self.cluster(cluster_id), Change('delete'))
        assert operation
        return operation

    def _ask(self, cluster, change, node_group=None, timeout_min=15, **how):
        operation = Operation.new(
            cluster_id=cluster.uuid,
            kind=change.kind,
            reason=f'{change.kind} asked for',
            project_id=self.project,
            user_id='ann',
            identity=self.who,
            node_group=node_group,
            request_id=f'req-{uuid.uuid4()}',
        )
        found = fixtures.accepted(
            self.database, cluster, operation, change, timeout_min=timeout_min, **how
        )
        if found:
            operation.uuid, _ = found
        return operation if found else None

    def cluster(self, uuid):
        """The cluster as it is now."""
        with self.database.read() as connection:
            return store.get(connection, Cluster, uuid)

    def groups(self, cluster_id):
        """{name: node group} of a cluster."""
        with self.database.read() as connection:
            return {
                group.name: group
                for group in store.find(connection, NodeGroup, cluster_id=cluster_id)
            }

    def operation(self, uuid):
        """The operation as it is now."""
        with self.database.read() as connection:
            return store.get(connection, Operation, uuid)

    def wait(self, operation, state='DONE', *, within_s=PATIENCE_S):
        """Wait until an operation ended; fails unless it ended in ``state``."""
        return self.wait_for(operation, lambda now: now.ended_at, state, within_s)

    def wait_for(self, operation, condition, state=None, within_s=PATIENCE_S):
        """Wait until the condition holds of the operation; the operation then."""
        until = time.monotonic() + within_s
        while not condition(now := self.operation(operation.uuid)):
            assert time.monotonic() < until, f'still {now.state}: {now.progress}'
            time.sleep(0.05)
        assert state in (None, now.state), f'{now.state}: {now.error_text}'
        return now

    def stacks(self):
        """{name: status} of the project's stacks in Heat, or of its files."""
        return {part.name: part.status for part in self.parts()}

    def parts(self):
        """All that the project has in the cloud of its driver."""
        if self.backend is None:
            return self.heat.list(tags.OURS)
        return [part for parts in self.backend.look(self.who).values() for part in parts]
