"""What tests of upgrades that surge have in common."""

import sqlalchemy as sa

from magnum_lite.db import journal, ledger, store, tables
from magnum_lite.db.engine import now
from magnum_lite.objects import Operation
from magnum_lite_dev.rig.tiny import Tiny
from tests.engine.doom import Doom

NODES = 2


class SurgingTiny(Tiny):
    """Tiny, with new stacks beside the old ones; its nodes need no draining."""

    capabilities = Tiny.capabilities | {'surge'}


class Watching(Doom):
    """Counts the nodes that work at each point, too.

    :ivar look: gives their number.
    """

    look = None
    looking = False

    def pass_point(self):
        """One point."""
        if self.looking:
            return
        if self.began and self.look:
            self.looking = True
            assert self.look() >= NODES
            self.looking = False
        super().pass_point()


def run(manager, tenant, operation, until=lambda now: now.ended_at):
    """Claim an operation and take its steps until it is so; the operation then."""
    assert manager.claim(operation.uuid)
    return tenant.wait_for(
        operation, lambda now: until(now) or (manager.step(operation.uuid) and False)
    )


def upgrade(tenant, cluster_id, image='debian-14', **options):
    """Ask for a new generation of the workers; the operation."""
    group = workers(tenant, cluster_id)
    return tenant.whole(
        cluster_id,
        'upgrade',
        groups={group.uuid: {'image_id': image, 'generation': group.generation + 1, 'removed': []}},
        **options,
    )


def is_draining(tenant):
    """Whether new nodes have taken the place of the old ones."""
    return lambda now: states(tenant) == {1: 'going'}


def workers(tenant, cluster_id):
    """The row of the group of workers."""
    return tenant.groups(cluster_id)['default-worker']


def states(tenant):
    """``{number: state}`` of the generations that have rows."""
    with tenant.database.read() as connection:
        rows = connection.execute(sa.select(tables.generations)).all()
    return {row.number: row.state for row in rows}


def working(tenant, group):
    """How many nodes of a group are there and have their work."""
    parts = tenant.parts() if tenant.backend else tenant.heat.there
    found = [
        part
        for part in parts
        if group.uuid[:8] in part.name and part.status in ('CREATE_COMPLETE', 'UPDATE_COMPLETE')
    ]
    return sum(
        len(part.members) * (part.drained == 0) if tenant.backend else NODES for part in found
    )


def texts(tenant, operation):
    """The journal of an operation."""
    with tenant.database.read() as connection:
        return [row.text for row in journal.steps_of(connection, operation.uuid)]


def lose(database, operation):
    """Let the lease of a worker that is lost be over."""
    database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=operation.uuid)


def check(tenant, cluster_id, number, image, nodes=NODES):
    """Fails unless the group has that generation, whole, and nothing is left of another."""
    group = workers(tenant, cluster_id)
    assert (group.generation, group.image_id, group.node_count) == (number, image, nodes)
    assert states(tenant) == {}
    suffix = f'-{number}' if number > 1 else ''
    names = [f'tiny-{cluster_id}', f'tiny-{cluster_id}-{group.uuid[:8]}{suffix}']
    assert sorted(tenant.stacks()) == names and group.stack_id
    with tenant.database.read() as connection:
        entries = ledger.open_entries(connection, cluster_id)
    assert sorted(entry.name for entry in entries if entry.kind == ledger.PART) == names
    if tenant.backend:
        assert len(group.node_addresses) == nodes
