"""What a tenant sees of operations, whether the cloud does as it should or not."""

import pytest

from magnum_lite.conductor import resolve
from magnum_lite.conductor.registry import Registry
from magnum_lite.conductor.worker import Worker
from magnum_lite.db import journal, ledger, outbox, store
from magnum_lite.exceptions import NotFound
from magnum_lite.objects import Certificate, DriverVersion, Operation
from tests.engine.conftest import BOTH

pytestmark = BOTH


def test_a_cluster_is_created_resized_and_deleted(worker, tenant):
    create = tenant.create(nodes=2)
    tenant.wait(create)
    cluster = tenant.cluster(create.cluster_id)
    assert (cluster.status, cluster.api_address) == ('CREATE_COMPLETE', 'https://tiny:6443')
    assert cluster.stack_id and cluster.coe_version == 'tiny-1'
    group = tenant.groups(cluster.uuid)['default-worker']
    assert len(group.node_addresses) == 2 and group.status == 'CREATE_COMPLETE'
    assert set(tenant.stacks().values()) == {'CREATE_COMPLETE'}

    tenant.wait(tenant.resize(cluster.uuid, 3))
    assert tenant.cluster(cluster.uuid).status == 'UPDATE_COMPLETE'
    assert len(tenant.groups(cluster.uuid)['default-worker'].node_addresses) == 3
    assert tenant.groups(cluster.uuid)['default-master'].status == 'CREATE_COMPLETE'

    delete = tenant.delete(cluster.uuid)
    tenant.wait(delete)
    with pytest.raises(NotFound):
        tenant.cluster(cluster.uuid)
    assert tenant.stacks() == {}
    with tenant.database.read() as connection:
        assert ledger.open_entries(connection, cluster.uuid) == []
        assert store.count(connection, Certificate) == 0
        texts = [row.text for row in journal.steps_of(connection, delete.uuid)]
        events = [row.event_type for row in outbox.unsent(connection, limit=99)]
    assert texts[-1] == 'done' and any('being deleted' in text for text in texts)
    assert len(events) <= 6  # the worker sends them meanwhile


def test_a_resize_removes_the_given_member(worker, tenant):
    create = tenant.create(nodes=3)
    tenant.wait(create)
    before = tenant.groups(create.cluster_id)['default-worker'].node_addresses
    tenant.wait(tenant.resize(create.cluster_id, 2, remove=['1']))
    group = tenant.groups(create.cluster_id)['default-worker']
    assert group.node_addresses == [before[0], before[2]] and group.removed == [1]


def test_a_failure_names_its_cause_and_puts_the_count_back(worker, tenant, driver, faults):
    create = tenant.create(nodes=1)
    tenant.wait(create)
    faults.fault(
        kind='http', match='POST /network/v2.0/ports', status=503, message='no more addresses here'
    )
    try:
        failed = tenant.wait(tenant.resize(create.cluster_id, 2), 'FAILED')
    finally:
        faults.clear_faults()
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'UPDATE_FAILED' and 'no more addresses here' in cluster.status_reason
    code, cause = driver.failure
    assert failed.error_code == code and cause in failed.error_text
    first = failed.causes[0]
    assert first['type'] == cause and first['status'].endswith('_FAILED')
    assert first['part'] in tenant.stacks() and 'no more addresses here' in first['reason']
    assert tenant.groups(cluster.uuid)['default-worker'].node_count == 1

    tenant.wait(tenant.resize(cluster.uuid, 2))
    assert len(tenant.groups(cluster.uuid)['default-worker'].node_addresses) == 2


def test_a_change_that_is_to_be_undone_when_it_fails_is_undone(worker, tenant, faults):
    create = tenant.create(nodes=1)
    tenant.wait(create)
    faults.fault(kind='http', match='POST /network/v2.0/ports', status=503, message='none left')
    try:
        tenant.wait(tenant.resize(create.cluster_id, 3, rollback=True), 'FAILED')
        with tenant.database.read() as connection:
            back = store.find(connection, Operation, kind='rollback')[0]
        tenant.wait(back)
    finally:
        faults.clear_faults()
    cluster = tenant.cluster(create.cluster_id)
    assert cluster.status == 'ROLLBACK_COMPLETE' and 'none left' in cluster.status_reason
    group = tenant.groups(cluster.uuid)['default-worker']
    assert (group.status, group.node_count, len(group.node_addresses)) == (
        'ROLLBACK_COMPLETE',
        1,
        1,
    )
    assert cluster.version == 3 and back.user_id == 'ann'
    tenant.wait(tenant.resize(cluster.uuid, 2))
    assert tenant.cluster(cluster.uuid).status == 'UPDATE_COMPLETE'


def test_a_driver_refuses_in_words_for_the_user(worker, tenant):
    create = tenant.create(labels={'cidr': 'refused'})
    failed = tenant.wait(create, 'FAILED')
    assert failed.error_text == 'labels.cidr: refused is not accepted, a CIDR is'
    assert tenant.cluster(create.cluster_id).status == 'CREATE_FAILED'
    assert tenant.stacks() == {}
    tenant.wait(tenant.delete(create.cluster_id))


def test_what_an_earlier_release_accepted_fails_without_a_plan_and_goes(worker, tenant):
    """The driver's plan of as many nodes would end the worker; see ``Tiny.plan``."""
    create = tenant.create(nodes=2**31 - 1, labels={'cidr': '10.9.0.0/24'})
    assert tenant.wait(create, 'FAILED').error_text == 'node_count: at most 50 nodes are accepted'
    late = tenant.create(nodes=2**31 - 1, timeout_min=0.0001)
    tenant.wait(late, 'FAILED')
    small = tenant.create()
    tenant.wait(small)
    for nodes in ((), ('0',)):
        change = tenant.resize(small.cluster_id, 2**31 - 1, remove=nodes)
        assert tenant.wait(change, 'FAILED').error_code == 'driver-rejected'
    for operation in (create, late, small):
        tenant.wait(tenant.delete(operation.cluster_id))
    assert tenant.stacks() == {}


def test_a_cluster_goes_whose_labels_are_no_longer_known(worker, tenant):
    """A driver that knows less, or takes less, than the one it was accepted by."""
    create = tenant.create(labels={'cidr': 'refused'})
    tenant.wait(create, 'FAILED')
    tenant.database.write(
        store.update,
        DriverVersion,
        {'config_schema': {'type': 'object', 'properties': {'cidr': {'type': 'integer'}}}},
        name='tiny',
    )
    tenant.wait(tenant.delete(create.cluster_id))


def test_an_operation_that_takes_too_long_ends(worker, tenant, faults):
    faults.settings(build_seconds=0)
    create = tenant.create(timeout_min=0.01)
    failed = tenant.wait(create, 'FAILED')
    assert failed.error_code == 'timeout' and 'longer than allowed' in failed.error_text
    faults.clear_faults()
    tenant.wait(tenant.delete(create.cluster_id))


def test_a_deletion_overtakes_a_creation(worker, tenant):
    create = tenant.create(nodes=3)
    tenant.wait_for(create, lambda now: now.state == 'WAITING')
    delete = tenant.delete(create.cluster_id)
    tenant.wait(delete)
    assert tenant.operation(create.uuid).state == 'SUPERSEDED'
    assert tenant.stacks() == {}


def test_an_image_that_the_api_could_not_look_up_is_looked_up_again(worker, tenant):
    create = tenant.create(facts={})
    tenant.wait(create)
    image = tenant.cluster(create.cluster_id).facts['image']
    assert image['name'] == 'debian-13' and image['os_distro'] == 'debian' and image['id']


def test_an_image_that_is_gone_meanwhile_fails_the_creation_by_name(worker, tenant):
    create = tenant.create(facts={}, image='no-such-image')
    failed = tenant.wait(create, 'FAILED')
    assert 'no-such-image' in failed.error_text and failed.error_code == 'invalid-attribute'


def test_an_error_that_nobody_foresaw_ends_the_operation(
    conf, database, tenant, driver, monkeypatch
):
    """Neither a hot loop nor silence: it is retried for a while, then it fails."""
    calls = []

    def broken(*args):
        calls.append(args)
        raise ZeroDivisionError('a bug')

    monkeypatch.setattr(resolve, 'spec', broken)
    conf.set_override('trouble_s', 1, group='conductor')
    worker = Worker(conf, registry=Registry({'tiny': driver}))
    create = tenant.create()
    worker.start()
    try:
        failed = tenant.wait(create, 'FAILED')
    finally:
        worker.stop()
    assert failed.error_code == 'trouble' and 'ZeroDivisionError' in failed.error_text
    assert len(calls) > 1
