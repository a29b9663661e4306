"""Workers that die or freeze anywhere in a rotation: each node trusts what signs, at any time."""

import contextlib
import itertools
import json
import re

import pytest
import sqlalchemy as sa

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import authorities, stages, store
from magnum_lite.db.engine import now
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk.testing.fake import Killed
from magnum_lite.objects import Operation
from tests.engine import files
from tests.engine.doom import Doom
from tests.engine.test_frozen import Freezing
from tests.engine.tiny_files import TinyFiles

LEAST_POINTS, MOST_POINTS = 60, 160
CALLS = ('list', 'write', 'remove')


@pytest.fixture
def heat(memory_heat):
    """None is needed."""
    return memory_heat


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A driver of files, which are written in a moment."""
    monkeypatch.setattr(files, 'BUILD_S', 0.01)
    return TinyFiles(tmp_path / 'cloud')


@pytest.fixture
def managers(conf, database, driver):
    """Makes workers, each with a name of its own."""
    names = itertools.count()
    return lambda database=database: Manager(
        conf, database, Registry({'tiny': driver}), owner=f'worker-{next(names)}'
    )


class Nodes:
    """What the nodes of a cluster have, looked at again and again.

    :ivar looks: how many times.
    """

    def __init__(self, tenant, cluster_id):
        self.tenant, self.cluster_id, self.looks = tenant, cluster_id, 0
        self._was = {}

    def _texts(self):
        """``{file: texts}`` that a node may have: while it is written, the one before as well."""
        found = {}
        for path in sorted((self.tenant.backend.home / self.tenant.project).glob('*.json')):
            file = json.loads(path.read_text())
            ready = self.tenant.backend.open(self.tenant.who, None).find(path.stem)
            texts = (
                (file['text'],) if ready.complete else (file['text'], *self._was.get(path.stem, ()))
            )
            found[path.stem] = self._was[path.stem] = tuple(dict.fromkeys(texts))
        return found

    def check(self):
        """Fails unless each node trusts what signs for any, of which nothing was dropped."""
        cluster = self.tenant.cluster(self.cluster_id)
        with self.tenant.database.read() as connection:
            known = authorities.of(connection, cluster)['kubernetes']
            names = set(connection.execute(sa.select(secrets.c.name)).scalars())
        texts = [text for found in self._texts().values() for text in found]
        signing = {found for text in texts for found in generations(text, 'SIGNS', 'cert')}
        for text in texts:
            trusted = generations(text, 'TRUSTS', 'trusted')
            assert signing | {cluster.ca_generation} <= trusted, (signing, trusted)
        assert signing <= set(known.generations)
        assert {key(number) for number in known.generations} <= names
        self.looks += 1

    def end(self, generation):
        """Fails unless all that is left is of one generation."""
        cluster = self.tenant.cluster(self.cluster_id)
        with self.tenant.database.read() as connection:
            names = connection.execute(sa.select(secrets.c.name)).scalars().all()
            known = authorities.of(connection, cluster)['kubernetes']
        assert known.generations == (generation,)
        assert [name for name in names if name.startswith('ca.')] == [key(generation)]
        texts = [text for found in self._texts().values() for text in found]
        assert [generations(text, 'TRUSTS', 'trusted') for text in texts] == [{generation}] * 2
        assert {number for text in texts for number in generations(text, 'SIGNS', 'cert')} == {
            generation
        }


def generations(text, name, part):
    """Numbers that a node's file names; the first generation has none there."""
    found = re.search(rf'{name}=.[^ \\]*/ca\.kubernetes\.{part}([.0-9]*)', text)
    return {int(number) for number in (found[1].strip('.') or '1').split('.')} if found else set()


def key(generation):
    """The name of a key."""
    return 'ca.kubernetes.key' + (f'.{generation}' if generation > 1 else '')


def run(manager, tenant, operation):
    """Claim an operation and take its steps until it has ended; the operation then."""
    assert manager.claim(operation.uuid)
    return tenant.wait_for(operation, lambda now: now.ended_at or manager.step(operation.uuid))


def lose(database, operation):
    """Let the lease of a worker that is lost be over."""
    database.write(store.update, Operation, {'lease_until': now(-1)}, uuid=operation.uuid)


class Watched(Doom):
    """Looks at the nodes at each point, and kills at one."""

    nodes = None

    def pass_point(self):
        """One point."""
        if self.began:
            self.nodes.check()
        super().pass_point()


def test_whoever_dies_at_any_point_of_a_rotation_every_node_trusts_what_signs(
    database, tenant, driver, managers, monkeypatch
):
    def die():
        raise Killed

    create = tenant.create()
    run(managers(), tenant, create)
    nodes = Nodes(tenant, create.cluster_id)
    doom = Watched(0, die)
    doom.nodes = nodes
    doom.haunt(monkeypatch.setattr, files.Files, CALLS)
    for generation, point in enumerate(range(1, MOST_POINTS, 3), 2):
        doom.began, doom.left = False, 0
        rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': generation})
        doom.left = point
        with contextlib.suppress(Killed):
            run(managers(), tenant, rotate)
        if not tenant.operation(rotate.uuid).ended_at:
            lose(database, rotate)
            run(managers(), tenant, rotate)
        assert tenant.operation(rotate.uuid).state == 'DONE'
        nodes.end(generation)
        if doom.left > 0:  # no such point
            break
    assert LEAST_POINTS < point < MOST_POINTS - 3 and nodes.looks > 1000


@pytest.mark.parametrize('stage', ['sign', 'forget'])
def test_a_worker_that_was_frozen_before_a_stage_enters_it_no_more(
    conf, database, tenant, managers, stage
):
    create = tenant.create()
    run(managers(), tenant, create)
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2})
    frozen = []

    class Slow(Freezing):
        def write(self, work, *args, **kwargs):
            if stages.advance in args and not frozen and is_next():
                frozen.append(stage)
                lose(database, rotate)
                run(managers(), tenant, rotate)
                run(
                    managers(),
                    tenant,
                    tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 3}),
                )
            return super().write(work, *args, **kwargs)

    def is_next():
        with database.read() as connection:
            return (stages.present(connection, rotate), stage) in (
                ('trust', 'sign'),
                ('sign', 'forget'),
            )

    slow = Slow(conf, 0, lambda: None)
    run(managers(slow), tenant, rotate)
    slow.dispose()
    assert frozen and tenant.operation(rotate.uuid).state == 'DONE'
    nodes = Nodes(tenant, create.cluster_id)
    nodes.check()
    nodes.end(3)
