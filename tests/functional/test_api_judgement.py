"""What a driver refuses of a cluster is refused at the request; one that fails lets it in."""

import threading

import pytest

from magnum_lite.db import store
from magnum_lite.driver_sdk import Rejected
from magnum_lite.objects import ClusterTemplate, Operation
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

NETWORKS = {'flannel_network_cidr': '10.128.0.0/13', 'fixed_subnet_cidr': '10.0.0.0/20'}
# {attribute of the template: value}, of the cluster, and the title of the refusal.
CLUSTERS = {
    'three masters': (
        {},
        {'master_count': 3, 'master_lb_enabled': True},
        'master_count: 3 control-plane nodes are asked for, at most 1 are accepted',
    ),
    'a load balancer': (
        {},
        {'master_lb_enabled': True},
        'master_lb_enabled: one control-plane node has no load balancer, use false',
    ),
    'a volume driver': (
        {'volume_driver': 'cinder'},
        {},
        'labels.manifests_url: volume_driver cinder needs',
    ),
    'calico': (
        {'network_driver': 'calico'},
        {},
        'labels.manifests_url: network_driver calico needs',
    ),
    'overlapping networks': (
        {},
        {'labels': {**NETWORKS, 'service_cluster_ip_range': '10.128.0.0/16'}},
        'labels.service_cluster_ip_range: 10.128.0.0/16 overlaps flannel_network_cidr',
    ),
    'host bits': (
        {},
        {'labels': {'fixed_subnet_cidr': '10.0.0.1/20'}},
        'labels.fixed_subnet_cidr: 10.0.0.0/20 is expected, not',
    ),
    'a subnet without room': (
        {},
        {'labels': {'fixed_subnet_cidr': '10.0.0.0/28'}, 'node_count': 20},
        'labels.fixed_subnet_cidr: 10.0.0.0/28 has room for 12 nodes, 21 are wanted',
    ),
}


@pytest.fixture
def driver():
    """The driver of the conductor."""
    return Kubernetes()


@pytest.fixture
def working(tmp_path, heat, driver):
    """The service with a conductor."""
    conf = fixtures.make_conf(
        tmp_path, catalog=heat.catalog, api={'validate_s': 30}, cloud={'lookup_budget_s': 60}
    )
    with fixtures.working(conf, driver) as running:
        yield running
    fixtures.forget_conf()


def operations(api):
    """How many were accepted."""
    with api.db.read() as connection:
        return len(store.rows(connection, Operation))


@pytest.mark.parametrize('name', CLUSTERS)
def test_a_cluster_that_its_driver_refuses_is_refused_and_leaves_nothing(working, name):
    template, cluster, title = CLUSTERS[name]
    body = {'name': 'c1', 'cluster_template_id': working.template(**template), **cluster}
    error = working.refused(400, 'POST', '/v1/clusters', body)
    assert error['title'].startswith(f'Invalid input for {title}')
    assert working.ok('GET', '/v1/clusters')['clusters'] == []
    assert operations(working) == 0


def test_a_cluster_that_its_driver_accepts_is_made(working):
    template = working.template(network_driver='calico')
    cluster = working.cluster(
        template,
        keypair='demo',
        labels={'manifests_url': 'https://192.0.2.9/a.tar.gz', 'manifests_sha256': 'a' * 64},
    )
    working.ok('DELETE', f'/v1/clusters/{cluster}')


class Fetching(Kubernetes):
    """Has no other way for secrets than that nodes fetch them."""

    def validate(self, spec, /):
        """As a driver that keeps secrets out of Heat."""
        super().validate(spec)
        if not spec.enrolment_url:
            raise Rejected('coe', 'nodes that enrol are expected')


@pytest.mark.parametrize('driver', [Fetching()])
def test_a_driver_knows_that_nodes_enrol_wherever_the_address_is_from(working, driver):
    cluster = working.cluster(working.template())
    working.ok('DELETE', f'/v1/clusters/{cluster}')


class Hostile(Kubernetes):
    """Does with clusters what their names say."""

    def __init__(self):
        self.hanging = threading.Semaphore(0)
        self.free = threading.Event()

    def validate(self, spec, /):
        """Crash, hang until it is freed, or judge."""
        if spec.name == 'crash':
            raise RuntimeError('a mistake')
        if spec.name == 'hang':
            self.hanging.release()
            self.free.wait(60)
        super().validate(spec)


class TestHostile:
    """A conductor whose driver crashes or hangs."""

    @pytest.fixture
    def driver(self):
        """The driver of the conductor."""
        driver = Hostile()
        yield driver
        driver.free.set()

    def test_a_crash_of_the_driver_lets_a_request_in_and_is_logged(self, working, caplog):
        working.cluster(working.template(), name='crash')
        assert 'let in: Driver kubernetes failed in validate' in caplog.text
        assert 'RuntimeError: a mistake' in caplog.text

    def test_a_driver_that_hangs_lets_a_request_in(self, working, driver, caplog):
        working.application.service.conf.set_override('validate_s', 1, 'api')
        working.cluster(working.template(), name='hang')
        assert 'is not validated, its driver took more than 0.8 s' in caplog.text

    def test_no_project_keeps_drivers_from_others(self, working, driver):
        """Red asks for more clusters than there are threads, each of which hangs."""
        template = working.template()
        working.db.write(store.update, ClusterTemplate, {'public': True})
        asking = [
            threading.Thread(target=working.cluster, args=[template], kwargs={'name': 'hang'})
            for _ in range(12)
        ]
        for thread in asking:
            thread.start()
        assert driver.hanging.acquire(timeout=30) and driver.hanging.acquire(timeout=30)
        error = working.refused(
            400,
            'POST',
            '/v1/clusters',
            {'cluster_template_id': template, 'master_lb_enabled': True},
            token='bob:blue',
        )
        assert error['title'].startswith('Invalid input for master_lb_enabled')
        assert not driver.free.is_set()
        driver.free.set()
        for thread in asking:
            thread.join(60)
        assert len(working.ok('GET', '/v1/clusters')['clusters']) == 12
