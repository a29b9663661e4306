"""Whose turn a look at a cluster's health is, and what it may write, on every database."""

import pytest
import sqlalchemy as sa

from magnum_lite.db import health, store
from magnum_lite.db.engine import now
from magnum_lite.db.tables import clusters, looks
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion
from tests.together import together

DRIVERS = ['tiny']


@pytest.fixture
def cluster(database):
    """A cluster that has formed, of a driver that can look."""
    database.write(
        store.insert,
        DriverVersion.new(
            name='tiny',
            plugin_name='tiny',
            plugin_version='1',
            coe='tiny',
            public=True,
            server_types=['vm'],
            distros=[],
            capabilities=['monitor'],
            config_schema={},
        ),
    )
    template = ClusterTemplate.new(name='t', coe='c', image_id='i', project_id='p', user_id='u')
    cluster = Cluster.new(
        name='c',
        cluster_template_id=template.uuid,
        user_id='u',
        driver='tiny',
        driver_version=1,
        project_id='p',
        status='CREATE_COMPLETE',
        api_address='https://192.0.2.7:6443',
    )
    database.write(store.insert, template)
    database.write(store.insert, cluster)
    database.write(health.give_turns, every_s=60)
    _elapse(database)
    return cluster


def _elapse(database):
    """Let it be every cluster's turn."""
    database.write(lambda connection: connection.execute(looks.update().values(check_at=now(-1))))


def _due(database, plugins=DRIVERS):
    with database.read() as connection:
        return health.due(connection, plugins, limit=10)


def _shown(database, cluster):
    with database.read() as connection:
        found = store.get(connection, Cluster, cluster.uuid)
    return found.health_status, found.health_status_reason


def _claimed(database):
    (row,) = _due(database)
    assert database.write(health.claim, row, every_s=60)
    return row


def test_of_racing_workers_one_looks_at_a_cluster(database, cluster):
    (row,) = _due(database)
    won = together(*[lambda: database.write(health.claim, row, every_s=60)] * 4)
    assert sorted(won) == [False, False, False, True]
    assert _due(database) == []


def test_racing_workers_give_each_cluster_one_turn(database, cluster):
    database.write(lambda connection: connection.execute(looks.delete()))
    together(*[lambda: database.write(health.give_turns, every_s=60)] * 4)
    with database.read() as connection:
        assert connection.execute(sa.select(looks.c.cluster_id)).scalars().all() == [cluster.uuid]
        assert health.without_turn(connection) == []


@pytest.mark.parametrize(
    'values',
    [
        {'status': 'CREATE_IN_PROGRESS'},
        {'status': 'CREATE_FAILED'},
        {'status': 'DELETE_IN_PROGRESS'},
        {'status': 'DELETE_FAILED'},
        {'api_address': None},
    ],
    ids=str,
)
def test_what_has_not_formed_or_goes_is_not_looked_at(database, cluster, values):
    database.write(store.update, Cluster, values, uuid=cluster.uuid)
    assert _due(database) == []


@pytest.mark.parametrize('status', ['UPDATE_IN_PROGRESS', 'UPDATE_FAILED', 'ROLLBACK_COMPLETE'])
def test_what_has_formed_is_looked_at_whatever_becomes_of_a_change(database, cluster, status):
    database.write(store.update, Cluster, {'status': status}, uuid=cluster.uuid)
    assert [row.cluster_id for row in _due(database)] == [cluster.uuid]


def test_drivers_that_cannot_look_are_left_out(database, cluster):
    assert _due(database, ['other']) == _due(database, []) == []


def test_a_look_writes_once_and_changes_nothing_but_the_health(database, cluster):
    row = _claimed(database)
    assert database.write(health.found, row, cluster, 'HEALTHY', {'api': 'ok'})
    assert _shown(database, cluster) == ('HEALTHY', {'api': 'ok'})
    nothing = {'health_status': None, 'health_status_reason': {}}  # as when the look began
    database.write(store.update, Cluster, nothing, uuid=cluster.uuid)
    assert not database.write(health.found, row, cluster, 'UNKNOWN', {'api': 'silent'})
    with database.read() as connection:
        shown = store.get(connection, Cluster, cluster.uuid)
    assert (shown.version, shown.status) == (cluster.version, cluster.status)


def test_a_worker_that_was_frozen_writes_nothing_over_what_the_next_one_found(database, cluster):
    frozen = _claimed(database)
    _elapse(database)
    assert not database.write(health.found, frozen, cluster, 'HEALTHY', {'api': 'ok'})  # too late
    second = _claimed(database)
    assert database.write(health.found, second, cluster, 'UNHEALTHY', {'api': 'refuses'})
    assert not database.write(health.found, frozen, cluster, 'HEALTHY', {'api': 'ok'})
    assert _shown(database, cluster) == ('UNHEALTHY', {'api': 'refuses'})


def test_a_worker_that_was_frozen_writes_nothing_where_the_next_one_found_no_news(
    database, cluster
):
    frozen = _claimed(database)
    _elapse(database)
    _claimed(database)
    assert not database.write(health.found, frozen, cluster, 'UNHEALTHY', {'api': 'refuses'})
    assert _shown(database, cluster) == (None, {})


def test_what_is_reported_stands_over_a_look_under_way_and_for_a_while(database, cluster):
    row = _claimed(database)

    def report(connection):
        health.reported(connection, cluster.uuid, stands_s=60)
        store.update(connection, Cluster, {'health_status': None}, uuid=cluster.uuid)

    database.write(report)  # what was there when the look began
    assert not database.write(health.found, row, cluster, 'HEALTHY', {'api': 'ok'})
    assert _shown(database, cluster) == (None, {})
    assert _due(database) == []
    database.write(lambda connection: connection.execute(looks.delete()))
    database.write(report)  # no worker has given it a turn
    database.write(health.give_turns, every_s=0)
    assert _due(database) == []


def test_what_was_said_meanwhile_without_a_turn_stays(database, cluster):
    """By the comparison with the cloud, or by a process of release 1.0."""
    row = _claimed(database)
    database.write(
        store.update, Cluster, {'health_status_reason': {'servers': '1 is gone'}}, uuid=cluster.uuid
    )
    assert not database.write(health.found, row, cluster, 'HEALTHY', {'api': 'ok'})
    assert _shown(database, cluster) == (None, {'servers': '1 is gone'})


def test_nothing_is_written_of_a_cluster_whose_deletion_was_asked_for(database, cluster):
    row = _claimed(database)
    database.write(store.update, Cluster, {'status': 'DELETE_IN_PROGRESS'}, uuid=cluster.uuid)
    assert not database.write(health.found, row, cluster, 'HEALTHY', {'api': 'ok'})


def test_turns_go_with_their_cluster_whoever_deletes_it(database, cluster):
    row = _claimed(database)
    database.write(lambda connection: connection.execute(clusters.delete()))
    with database.read() as connection:
        assert connection.execute(sa.select(looks)).all() == []
    assert not database.write(health.found, row, cluster, 'HEALTHY', {'api': 'ok'})
