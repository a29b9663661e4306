"""The rows of generations of node groups, on every database."""

import pytest
import sqlalchemy as sa

from magnum_lite.db import compare, generations, migrate, store, tables
from magnum_lite.db.engine import Database
from magnum_lite.objects import Cluster, ClusterTemplate, DriverVersion, NodeGroup

FACTS = {'image': 'debian', 'node_count': 2}


@pytest.fixture
def groups(request):
    """Two node groups of a cluster at rest."""
    database = request.getfixturevalue('database')
    template = ClusterTemplate.new(name='t', coe='c', image_id='i', project_id='p', user_id='u')
    common = {'project_id': 'p', 'status': 'CREATE_COMPLETE'}
    cluster = Cluster.new(
        name='c',
        cluster_template_id=template.uuid,
        user_id='u',
        driver='tiny',
        driver_version=1,
        **common,
    )
    driver = DriverVersion.new(
        name='tiny',
        plugin_name='tiny',
        plugin_version='1',
        coe='tiny',
        public=True,
        server_types=['vm'],
        distros=[],
        capabilities=[],
        config_schema={},
    )
    found = [NodeGroup.new(name=name, cluster_id=cluster.uuid, **common) for name in 'ab']
    for row in (template, driver, cluster, *found):
        database.write(store.insert, row)
    return found


@pytest.fixture(
    params=[
        'sqlite',
        *(
            pytest.param(name, marks=getattr(pytest.mark, name))
            for name in ('mariadb', 'postgresql')
        ),
    ]
)
def database(request, connect, fresh_database):
    """A database of each kind with the tables of this release."""
    if request.param == 'sqlite':
        yield request.getfixturevalue('sqlite')
        return
    with fresh_database(request.getfixturevalue(f'{request.param}_url'), '') as url:
        conf = connect(url)
        migrate.upgrade(conf)
        found = Database(conf)
        yield found
        found.dispose()


def states(database, group):
    """``{number: state}`` of a group."""
    with database.read() as connection:
        found = generations.of(connection, group.cluster_id)
    return {row.number: row.state for row in found.get(group.uuid, ())}


def begin(database, *groups, number=1):
    """Note that groups are to have the next generation."""
    database.write(
        generations.begin,
        groups[0].cluster_id,
        {
            group.uuid: {
                generations.CURRENT: (number, FACTS),
                generations.COMING: (number + 1, FACTS),
            }
            for group in groups
        },
    )


def test_what_was_current_goes_once_the_new_one_is_there(database, groups):
    begin(database, *groups)
    assert states(database, groups[0]) == {1: 'current', 2: 'coming'}
    database.write(generations.turn, groups[0].cluster_id)
    assert states(database, groups[0]) == states(database, groups[1]) == {1: 'going'}
    database.write(generations.drop, {groups[0].uuid: [1]}, [])
    assert (states(database, groups[0]), states(database, groups[1])) == ({}, {1: 'going'})


def test_what_is_coming_stays_when_something_else_goes(database, groups):
    begin(database, groups[0])
    database.write(generations.turn_back, groups[0].cluster_id)
    begin(database, groups[0], number=2)
    database.write(generations.drop, {groups[0].uuid: [1]}, [groups[0].uuid])
    assert states(database, groups[0]) == {2: 'current', 3: 'coming'}
    database.write(generations.drop, {groups[0].uuid: [2]}, [])
    assert states(database, groups[0]) == {}


def test_what_was_coming_goes_where_the_operation_failed_and_comes_again(database, groups):
    begin(database, groups[0])
    assert database.write(generations.turn_back, groups[0].cluster_id) == 1
    assert states(database, groups[0]) == {2: 'going'}
    assert database.write(generations.turn_back, groups[0].cluster_id) == 0
    begin(database, groups[0])
    assert states(database, groups[0]) == {1: 'current', 2: 'coming'}
    with database.read() as connection:
        row, _ = generations.of(connection, groups[0].cluster_id)[groups[0].uuid]
    assert row.facts == FACTS


def test_they_go_with_their_group_whoever_deletes_it(database, groups):
    begin(database, *groups)
    database.write(store.delete, NodeGroup, uuid=groups[0].uuid)
    assert (states(database, groups[0]), len(states(database, groups[1]))) == ({}, 2)
    database.write(store.delete, NodeGroup, cluster_id=groups[1].cluster_id)
    with database.read() as connection:
        assert connection.execute(sa.select(tables.generations)).all() == []


def test_the_servers_of_a_group_of_two_generations_are_not_counted(database, groups):
    begin(database, groups[0])
    with database.read() as connection:
        assert [row.name for row in compare.groups(connection, 'p')] == ['b']
