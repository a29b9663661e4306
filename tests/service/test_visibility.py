"""Two API workers over one database: whoever reads after an answer sees what it promised."""

import itertools

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.db import store
from magnum_lite.db.engine import Database
from magnum_lite_dev.rig.databases import fresh_database
from magnum_lite_dev.rig.production import deployment
from tests import fixtures

pytestmark = [pytest.mark.mariadb, pytest.mark.rabbitmq]
HEALTH = itertools.cycle(('HEALTHY', 'UNHEALTHY', 'UNKNOWN'))
AT_WORK = 'UPDATE_IN_PROGRESS'


class Reader:
    """Changes, reads at once what was changed, and counts.

    There is no conductor, so that nothing but the answer's own transaction may change a status;
    ``settle`` stands in for it.
    """

    def __init__(self, service, database):
        self.client = service.client('seen')
        # Each request has a connection of its own, which either worker may take.
        self.client._session.headers['Connection'] = 'close'
        self.database = database
        self.changes = 0

    def change(self, method, path, expect, body=None):
        """The answer of a change."""
        self.changes += 1
        return self.client(method, path, expect, body)

    def sees(self, path, **values):
        """Fails unless the document at ``path`` has these values."""
        shown = self.client('GET', path, 200)
        assert {name: shown[name] for name in values} == values, (self.changes, path)

    def settle(self, cluster, status):
        """End what goes on with a cluster."""
        self.database.write(fixtures.settle, cluster, status)


@pytest.fixture
def reader(tmp_path, heat, mariadb_url):
    """A reader of a service without conductors."""
    running, broker = heat
    with (
        fresh_database(mariadb_url) as url,
        deployment(tmp_path, running, database=url, broker=broker, conductors=0) as service,
    ):
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf([], project='magnum-lite', default_config_files=[str(service.config)])
        database = Database(conf)
        database.write(store.insert, fixtures.driver_row())
        yield Reader(service, database)
        database.dispose()


def test_no_read_after_a_change_shows_what_was_before(reader):
    template = reader.client.template()
    for number in range(13):
        uuid = reader.change(
            'POST', '/clusters', 202, {'name': f'c{number}', 'cluster_template_id': template}
        )['uuid']
        reader.sees(f'/clusters/{uuid}', status='CREATE_IN_PROGRESS', version=1)
        reader.sees(f'/clusters/{uuid}/nodegroups/default-worker', status='CREATE_IN_PROGRESS')
        reader.settle(uuid, 'CREATE_COMPLETE')
        _change(reader, uuid)
        _change_groups(reader, uuid)
        reader.change('DELETE', f'/clusters/{uuid}', 204)
        reader.sees(f'/clusters/{uuid}', status='DELETE_IN_PROGRESS')
        reader.sees(f'/clusters/{uuid}/nodegroups/default-master', status='DELETE_IN_PROGRESS')
    assert reader.changes >= 200


def _change(reader, uuid):
    """Health, counts by either way, and templates."""
    path, worker = f'/clusters/{uuid}', f'/clusters/{uuid}/nodegroups/default-worker'
    for count in (2, 3):
        health = next(HEALTH)
        reader.change(
            'PATCH', path, 202, [{'op': 'replace', 'path': '/health_status', 'value': health}]
        )
        reader.sees(path, health_status=health)
        reader.change(
            'PATCH', path, 202, [{'op': 'replace', 'path': '/node_count', 'value': count}]
        )
        reader.sees(path, status=AT_WORK, node_count=count)
        reader.sees(worker, status=AT_WORK, node_count=count)
        reader.settle(uuid, 'UPDATE_COMPLETE')
        reader.change('POST', f'{path}/actions/resize', 202, {'node_count': count + 1})
        reader.sees(worker, status=AT_WORK, node_count=count + 1)
        reader.sees(path, status=AT_WORK, node_count=count + 1)
        reader.settle(uuid, 'UPDATE_COMPLETE')
    template = reader.client('GET', path, 200)['cluster_template_id']
    for name in (f'before {uuid}', f'after {uuid}'):
        reader.change(
            'PATCH',
            f'/clustertemplates/{template}',
            200,
            [{'op': 'replace', 'path': '/name', 'value': name}],
        )
        reader.sees(f'/clustertemplates/{template}', name=name)


def _change_groups(reader, uuid):
    """A node group of its own, from creation to deletion."""
    cluster = f'/clusters/{uuid}'
    made = reader.change('POST', f'{cluster}/nodegroups', 202, {'name': 'more', 'node_count': 1})
    group = f'{cluster}/nodegroups/{made["uuid"]}'
    reader.sees(group, status='CREATE_IN_PROGRESS')
    reader.sees(cluster, status=AT_WORK)
    reader.settle(uuid, 'UPDATE_COMPLETE')
    for most in (5, 6):
        reader.change(
            'PATCH', group, 202, [{'op': 'replace', 'path': '/max_node_count', 'value': most}]
        )
        reader.sees(group, status=AT_WORK, max_node_count=most)
        reader.sees(cluster, status=AT_WORK)
        reader.settle(uuid, 'UPDATE_COMPLETE')
    reader.change('POST', f'{cluster}/actions/resize', 202, {'node_count': 2, 'nodegroup': 'more'})
    reader.sees(group, status=AT_WORK, node_count=2)
    # While that is at work, another group's change waits and shows all the same.
    reader.change(
        'PATCH',
        f'{cluster}/nodegroups/default-worker',
        202,
        [{'op': 'replace', 'path': '/max_node_count', 'value': 9}],
    )
    reader.sees(f'{cluster}/nodegroups/default-worker', status=AT_WORK, max_node_count=9)
    reader.change('DELETE', group, 204)
    reader.sees(group, status='DELETE_IN_PROGRESS')
    reader.sees(cluster, status=AT_WORK)
    reader.settle(uuid, 'UPDATE_COMPLETE')
