"""What labels change that the service itself reads, or that only clients read, whatever the driver
does with them; a label of that kind without an entry here fails.

Those that change a plan have their table with their driver.
"""

import pytest

from magnum_lite.conductor import resolve
from magnum_lite.db import store
from magnum_lite.objects import DriverVersion, Operation, labels
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

SCHEMA = Kubernetes.config_schema
WORKER = 'default-worker'


@pytest.fixture
def cluster(api):
    """Makes a cluster with labels; its document and that of its default workers."""
    api.db.write(store.update, DriverVersion, {'config_schema': SCHEMA}, name='kubernetes')
    template = api.template()

    def make(**given):
        path = f'/v1/clusters/{api.cluster(template, name=f"c{len(given)}", labels=given)}'
        return api.ok('GET', path), api.ok('GET', f'{path}/nodegroups/{WORKER}')

    return make


def shown(name):
    """The label as clients read it, of the cluster and of its nodes."""
    return lambda cluster, group: (cluster['labels'].get(name), group['labels'].get(name))


# {label: (its text, what a client reads in the documents of cluster and group, what it is then)}
CHANGES = {
    'min_node_count': ('1', lambda cluster, group: group['min_node_count'], 1),
    'max_node_count': ('3', lambda cluster, group: group['max_node_count'], 3),
    'auto_scaling_enabled': ('true', shown('auto_scaling_enabled'), ('true', 'true')),
    'auto_healing_enabled': ('true', shown('auto_healing_enabled'), ('true', 'true')),
    'auto_healing_controller': ('draino', shown('auto_healing_controller'), ('draino', 'draino')),
}


def test_every_label_has_an_entry():
    for_clients = {
        name
        for name, schema in SCHEMA['properties'].items()
        if 'installs none' in schema['description']
    }
    assert labels.NUMBERS.keys() | for_clients == CHANGES.keys() | {'boot_volume_size'}
    assert set(labels.ALIASES) == set(OTHER_NAMES)


@pytest.mark.parametrize('name', CHANGES)
def test_a_label_changes_what_clients_read(name, cluster):
    text, read, then = CHANGES[name]
    assert read(*cluster(**{name: text})) == then
    assert read(*cluster()) != then


def test_a_boot_volume_lets_a_flavor_without_a_disk_in(api, cluster):
    body = {'cluster_template_id': api.template(), 'flavor_id': 'm1.diskless'}
    error = api.refused(400, 'POST', '/v1/clusters', body)
    assert error['title'].endswith('has no root disk: give the label boot_volume_size')
    api.ok('POST', '/v1/clusters', {**body, 'labels': {'boot_volume_size': '5'}})


# {label: (its text, what the driver is given)}
OTHER_NAMES = {
    'fixed_network_cidr': ('10.8.0.0/24', {'fixed_subnet_cidr': '10.8.0.0/24'}),
    'api_master_lb_allowed_cidrs': (
        '192.0.2.0/24; 10.0.0.0/8',
        {'master_lb_allowed_cidrs': '192.0.2.0/24,10.0.0.0/8'},
    ),
}


@pytest.mark.parametrize('name', OTHER_NAMES)
def test_another_name_of_a_label_is_what_the_driver_is_given(name, api, cluster):
    text, given = OTHER_NAMES[name]
    assert labels.typed(cluster(**{name: text})[0]['labels'], SCHEMA) == given
    error = api.refused(
        400, 'POST', '/v1/clusters', {'cluster_template_id': 'small', 'labels': {name: 'nonsense'}}
    )
    assert error['title'].startswith(f'Invalid input for labels.{name}: ')


@pytest.fixture
def operator(tmp_path, heat):
    """The service with a worker, whose operator gives nodes a boot volume."""
    conf = fixtures.make_conf(
        tmp_path, catalog=heat.catalog, cluster={'default_boot_volume_size': 12}
    )
    with fixtures.working(conf, Kubernetes()) as running:
        yield running
    fixtures.forget_conf()


def sizes(api, cluster):
    """The boot volumes of the nodes that the driver is asked for."""
    with api.db.read() as connection:
        operation = store.find(connection, Operation, cluster_id=cluster)[-1]
        rows = resolve.read(connection, operation)
    plan = Kubernetes().plan(resolve.spec(rows, operation, {}))
    return [stack.parameters['boot_volume_size'] for stack in plan]


def test_the_boot_volume_of_the_operator_is_in_the_plan_and_stays(operator):
    diskless = {'flavor_id': 'm1.diskless', 'master_flavor_id': 'm1.diskless'}
    template = operator.template(**diskless)
    cluster = operator.cluster(template, labels={'boot_volume_type': 'fast'})
    own = operator.cluster(template, name='own', labels={'boot_volume_size': '30'})
    operator.application.service.conf.set_override('default_boot_volume_size', 0, 'cluster')
    assert sizes(operator, cluster) == [12, 12] and sizes(operator, own) == [30, 30]
    path = f'/v1/clusters/{cluster}'
    assert operator.ok('GET', path)['labels'] == {'boot_volume_type': 'fast'}
    operations = operator.ok('GET', f'{path}/operations')['operations']
    steps = operator.ok('GET', f'{path}/operations/{operations[0]["uuid"]}')['steps']
    assert not any('Without effect' in step['text'] for step in steps)
    operator.settle(cluster)
    operator.ok('POST', f'{path}/nodegroups', {'name': 'more', 'flavor_id': 'm1.diskless'})
    assert sizes(operator, cluster) == [12, 12, 12]


@pytest.mark.parametrize(
    'driver', [{'limits': None}, {'config_schema': {'properties': {}}, 'limits': {}}]
)
def test_a_driver_that_makes_no_volume_gets_no_flavor_without_a_disk(api, driver):
    api.application.service.conf.set_override('default_boot_volume_size', 12, 'cluster')
    api.db.write(store.update, DriverVersion, driver, name='kubernetes')
    body = {'cluster_template_id': api.template(), 'flavor_id': 'm1.diskless'}
    assert 'has no root disk' in api.refused(400, 'POST', '/v1/clusters', body)['title']


def test_physical_machines_have_no_volume(api):
    api.application.service.conf.set_override('default_boot_volume_size', 12, 'cluster')
    error = api.refused(
        400,
        'POST',
        '/v1/clustertemplates',
        {
            'coe': 'kubernetes',
            'image_id': 'debian-13',
            'server_type': 'bm',
            'flavor_id': 'm1.diskless',
        },
    )
    assert 'has no root disk' in error['title']
