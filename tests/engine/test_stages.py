"""A rotation of authorities in its stages: what rows say in each, and what people read of it."""

import itertools

import pytest
import sqlalchemy as sa
from cryptography import x509

from magnum_lite.conductor.manager import Manager
from magnum_lite.conductor.registry import Registry
from magnum_lite.db import journal, stages, store
from magnum_lite.db.tables import secrets
from magnum_lite.driver_sdk import DONE, Failed, Waiting
from magnum_lite.objects import Certificate
from magnum_lite.objects.kinds import TABLE
from tests.engine.tiny_files import TinyFiles


@pytest.fixture
def heat(memory_heat):
    """None is needed."""
    return memory_heat


class Rotating(TinyFiles):
    """Keeps what each step of a rotation is told, and fails where it is to."""

    def __init__(self, directory):
        super().__init__(directory)
        self.told = []
        self.fails = lambda spec: False

    def rotate_ca(self, cloud, spec, /):
        """As ``TinyFiles``."""
        self.told.append(spec)
        return (
            Failed('no', 'it was to fail') if self.fails(spec) else super().rotate_ca(cloud, spec)
        )


@pytest.fixture
def driver(tmp_path):
    """A driver of files."""
    return Rotating(tmp_path / 'cloud')


@pytest.fixture
def manager(conf, database, driver):
    """A worker."""
    return Manager(conf, database, Registry({'tiny': driver}), owner='me')


def authorities(tenant, cluster_id):
    """What signs; all that there are; the names of their keys."""
    with tenant.database.read() as connection:
        rows = store.rows(connection, Certificate, cluster_id=cluster_id)
        names = connection.execute(sa.select(secrets.c.name)).scalars().all()
    keys = sorted(name for name in names if name.startswith('ca.'))
    return tenant.cluster(cluster_id).ca_generation, sorted(row.generation for row in rows), keys


def run(manager, tenant, operation, look=lambda now: None):
    """Carry an operation out, looking after each step; the operation then."""
    assert manager.claim(operation.uuid)
    return tenant.wait_for(
        operation, lambda now: look(now) or now.ended_at or manager.step(operation.uuid)
    )


def test_new_authorities_are_there_before_they_sign_and_old_ones_until_nothing_needs_them(
    tenant, manager
):
    create = tenant.create()
    run(manager, tenant, create)
    rotate, shown = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2}), []

    def look(now):
        if now.progress:  # after its first step
            stage = now.progress.removeprefix('stage ').replace(':', '').split(' ')[0]
            shown.append((stage, authorities(tenant, create.cluster_id)))

    assert run(manager, tenant, rotate, look).state == 'DONE'
    old, new = 'ca.kubernetes.key', 'ca.kubernetes.key.2'
    assert [found for found, _ in itertools.groupby(shown)] == [
        ('trust', (1, [1, 2], [old, new])),
        ('sign', (2, [1, 2], [old, new])),
        ('forget', (2, [2], [new])),
        ('done', (2, [2], [new])),
    ]
    with tenant.database.read() as connection:
        texts = [row.text for row in journal.steps_of(connection, rotate.uuid)]
    assert [text for text in texts if text.endswith('begins')] == [
        'stage sign begins',
        'stage forget begins',
    ]


def serials(secret):
    """Numbers of the certificates of a secret, in order."""
    return [found.serial_number for found in x509.load_pem_x509_certificates(secret.value.encode())]


def test_the_driver_is_told_what_signs_and_all_that_is_trusted(tenant, manager, driver):
    create = tenant.create()
    run(manager, tenant, create)
    run(manager, tenant, tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2}))
    told = [
        (
            spec.secrets['ca.kubernetes.cert'],
            spec.secrets['ca.kubernetes.trusted'],
            spec.secrets['ca.kubernetes.key'],
            spec.secrets['ca.kubernetes.cross'],
        )
        for spec in driver.told
    ]
    refs = [tuple(secret.ref.partition('.')[2] for secret in found) for found in told]
    assert [found for found, _ in itertools.groupby(refs)] == [
        tuple(f'kubernetes.{part}' for part in parts)
        for parts in (
            ('cert', 'trusted.2.1', 'key', 'cross'),
            ('cert.2', 'trusted.2.1', 'key.2', 'cross.2.1'),
            ('cert.2', 'trusted.2', 'key.2', 'cross'),
        )
    ]
    (old,), (new,) = serials(told[0][0]), serials(told[-1][0])
    assert [serials(trusted) for _, trusted, *_ in (told[0], told[-1])] == [[new, old], [new]]
    # What the control plane signs with is of no concern to those that trust both already.
    group = tenant.groups(create.cluster_id)['default-worker']
    parts = [
        next(part.digest for part in driver.update_dry_run(spec) if part.node_group == group.uuid)
        for spec in driver.told
    ]
    assert len(set(parts)) == 2


@pytest.mark.parametrize('signs', [1, 2])
def test_a_rotation_that_fails_leaves_all_that_nodes_may_trust(tenant, manager, driver, signs):
    """In the stage in which that generation signs; the next rotation ends what is left."""
    create = tenant.create()
    run(manager, tenant, create)
    ask = {'ca_generation': 2}
    driver.fails = lambda spec: spec.secrets['ca.kubernetes.key'].ref.endswith('2') == (signs == 2)
    assert (
        run(manager, tenant, tenant.whole(create.cluster_id, 'rotate_ca', cluster=ask)).state
        == 'FAILED'
    )
    assert authorities(tenant, create.cluster_id)[:2] == (signs, [1, 2])
    driver.fails = lambda spec: False
    update = tenant.resize(create.cluster_id, 2)
    assert run(manager, tenant, update).state == 'DONE'
    assert authorities(tenant, create.cluster_id)[:2] == (signs, [1, 2])
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': signs + 1})
    assert run(manager, tenant, rotate).state == 'DONE'
    assert authorities(tenant, create.cluster_id)[:2] == (signs + 1, [signs + 1])


def test_the_phases_of_a_driver_begin_anew_in_each_stage(tenant, manager, driver, monkeypatch):
    create, told = tenant.create(), []
    run(manager, tenant, create)

    def rotate_ca(cloud, spec):
        told.append((spec.secrets['ca.kubernetes.trusted'].ref[-3:], spec.phase, spec.cursor))
        progress = TinyFiles.rotate_ca(driver, cloud, spec)
        return Waiting('', phase='files', cursor=len(told)) if progress != DONE else progress

    monkeypatch.setattr(driver, 'rotate_ca', rotate_ca)
    rotate = tenant.whole(create.cluster_id, 'rotate_ca', cluster={'ca_generation': 2})
    assert run(manager, tenant, rotate).state == 'DONE'
    cursors = [cursor for _, _, cursor in told]
    assert cursors.count(None) == 3 and all(
        cursor in (None, index) for index, cursor in enumerate(cursors)
    )
    assert {phase for _, phase, cursor in told if cursor is None} == {None}


def test_each_stage_but_the_first_says_how_it_begins():
    for kind in TABLE.values():
        assert set(kind.stages[1:]) <= stages.STAGES
        assert bool(kind.staged or kind.surges) == bool(kind.stages)
