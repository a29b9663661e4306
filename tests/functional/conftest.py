"""The service beside one real Heat and its simulated cloud; on SQLite unless a test says else."""

import contextlib
import uuid

import pytest

from magnum_lite.db import store
from magnum_lite_dev.fixture import running_heat
from tests import fixtures
from tests.functional import conductors, enrolling


@pytest.fixture(scope='session')
def heat(tmp_path_factory):
    """A Heat process and the cloud that look-ups ask."""
    with running_heat(tmp_path_factory.mktemp('heat')) as running:
        yield running


@pytest.fixture
def connection():
    """Where the database is; None for SQLite."""
    return None


@pytest.fixture
def conf(tmp_path, heat, connection):
    """The configuration of a service with that cloud."""
    yield fixtures.make_conf(tmp_path, catalog=heat.catalog, connection=connection)
    fixtures.forget_conf()


@pytest.fixture
def api(conf):
    """The service."""
    with fixtures.service(conf) as running:
        yield running


@pytest.fixture
def configured(tmp_path):
    """A context manager of a service with some options, ``group={option: value}``, whose cloud
    does not answer."""

    @contextlib.contextmanager
    def make(**groups):
        with fixtures.service(fixtures.make_conf(tmp_path, **groups)) as running:
            yield running
        fixtures.forget_conf()

    return make


@pytest.fixture
def at_most_eight(configured):
    """A service whose clusters have at most eight nodes and can be upgraded."""
    with configured(cluster={'max_nodes': 8}) as running:
        running.db.write(
            store.insert, fixtures.driver_row(version=2, capabilities=['update', 'upgrade'])
        )
        yield running


@pytest.fixture
def judging(tmp_path, heat):
    """The service with a conductor that judges and does nothing else."""
    conf = fixtures.make_conf(
        tmp_path, catalog=heat.catalog, api={'validate_s': 30}, cloud={'lookup_budget_s': 60}
    )
    with conductors.judging(conf) as running:
        yield running
    fixtures.forget_conf()


@pytest.fixture
def hearing(conf):
    """A conductor beside ``api`` that hears what it is asked."""
    conf.set_override('validate_s', 30, 'api')
    hearing = conductors.Hearing(conf)
    yield hearing
    hearing.stop()


@pytest.fixture
def reached(tmp_path, heat):
    """``enrolling.reached``."""
    with enrolling.reached(tmp_path, heat) as running:
        yield running


@pytest.fixture
def project():
    """A project that nothing else uses."""
    return uuid.uuid4().hex


@pytest.fixture
def places(api):
    """{variable of a path: what exists}."""
    template = api.template()
    cluster = api.cluster(template)
    operation = api.ok('GET', f'/v1/clusters/{cluster}/operations')['operations'][0]['uuid']
    return {
        'template': template,
        'cluster': cluster,
        'driver': 'kubernetes',
        'nodegroup': 'default-worker',
        'operation': operation,
        'project': 'red',
        'resource': 'Cluster',
        'federation': 'none',
    }
