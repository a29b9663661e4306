"""Whoever reports the health of a cluster is believed, and for a while nobody looks."""

import pytest

from magnum_lite.db import health
from magnum_lite.db.engine import now
from magnum_lite.db.tables import looks

REPORT = [
    {'op': 'replace', 'path': '/health_status', 'value': 'UNHEALTHY'},
    {'op': 'replace', 'path': '/health_status_reason', 'value': "{'node-1': 'not ready'}"},
]


def _due(api):
    with api.db.read() as connection:
        return [row.cluster_id for row in health.due(connection, ['kubernetes'], limit=9)]


@pytest.mark.parametrize('is_known', [True, False])
def test_a_report_stands_before_the_next_look(configured, is_known):
    """The healer of a cluster reports whether or not a worker has looked before."""
    with configured(health={'reported_s': 60}) as api:
        cluster = api.cluster(api.template())
        api.settle(cluster)
        if is_known:
            api.db.write(health.give_turns, every_s=0)
            assert _due(api) == [cluster]
        path = f'/v1/clusters/{cluster}'
        api.ok('PATCH', path, REPORT)
        api.db.write(health.give_turns, every_s=0)
        assert _due(api) == []
        shown = api.ok('GET', path)
        assert (shown['health_status'], shown['health_status_reason']) == (
            'UNHEALTHY',
            {'node-1': 'not ready'},
        )
        api.db.write(lambda connection: connection.execute(looks.update().values(check_at=now())))
        assert _due(api) == [cluster]


def test_a_report_stands_no_longer_than_the_operator_wants(configured):
    with configured(health={'reported_s': 0}) as api:
        cluster = api.cluster(api.template())
        api.settle(cluster)
        api.ok('PATCH', f'/v1/clusters/{cluster}', REPORT)
        assert _due(api) == [cluster]


def test_a_change_of_the_number_of_nodes_is_no_report(configured):
    with configured() as api:
        cluster = api.cluster(api.template())
        api.settle(cluster)
        api.db.write(health.give_turns, every_s=0)
        api.ok(
            'PATCH',
            f'/v1/clusters/{cluster}',
            [{'op': 'replace', 'path': '/node_count', 'value': 2}],
        )
        assert _due(api) == [cluster]
