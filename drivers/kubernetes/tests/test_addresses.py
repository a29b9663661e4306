"""What is told of the Kubernetes API, by the real Heat with the simulated cloud."""

import re
import uuid

import pytest
import requests

from magnum_lite.driver_sdk import DONE, Network, StackView
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite_kubernetes import names
from magnum_lite_kubernetes.driver import Kubernetes


@pytest.fixture
def make_network(embedded_heat):
    """``make_network(CIDR...)``: name of a new network of the cloud with these subnets."""

    def post(table, row):
        one = table.removesuffix('s')
        reply = requests.post(
            f'{embedded_heat.cloud_url}/network/v2.0/{table}',
            json={one: row},
            headers={'X-Auth-Token': 'tester:networks'},
            timeout=10,
        )
        assert reply.status_code == 201, reply.text
        return reply.json()[one]['id']

    def make(*cidrs):
        name = f'n-{uuid.uuid4().hex}'
        network = post('networks', {'name': name, 'shared': True})
        for cidr in cidrs:
            post(
                'subnets',
                {'network_id': network, 'cidr': cidr, 'ip_version': 6 if ':' in cidr else 4},
            )
        return name

    return make


@pytest.mark.parametrize(
    ('cidrs', 'address'),
    [
        (['fd00:1::/64'], r'https://\[fd00:1::[0-9a-f]+\]:6443'),
        (['fd00:1::/64', '192.0.2.0/24'], r'https://192\.0\.2\.[0-9]+:6443'),
    ],
    ids=str,
)
def test_the_address_of_the_api_is_a_url(
    cidrs, address, driver, real_cloud, make_spec, make_network
):
    spec = example.with_nodes(
        make_spec(network=Network(fixed_network=make_network(*cidrs), floating_ip_enabled=False)), 0
    )
    driver.validate(spec)
    try:
        assert finish(lambda: driver.create(real_cloud, spec)) == DONE
        assert re.fullmatch(address, driver.get_status(real_cloud, spec).api_address)
    finally:
        finish(lambda: driver.delete(real_cloud, spec))


def test_an_api_that_got_no_address_has_none(driver, real_cloud, make_spec, embedded_heat):
    cluster = example.with_nodes(make_spec(), 0)
    embedded_heat.fault(
        kind='http',
        match='POST /network/v2.0/floatingips*',
        status=409,
        message='no more addresses',
        times=1,
    )
    try:
        progress = finish(lambda: driver.create(real_cloud, cluster))
        assert 'no more addresses' in progress.text
        shown = real_cloud.heat.get(names.base_stack(cluster)).outputs
        assert not shown.get('api_address')
        assert driver.get_status(real_cloud, cluster).api_address is None
    finally:
        finish(lambda: driver.delete(real_cloud, cluster))


def test_the_version_is_what_the_control_plane_reported(driver, make_spec):
    spec = make_spec()
    name = driver.plan(spec).stacks[0].name
    for data, version in (('{"m-0": "v1.36.2"}', 'v1.36.2'), ('{"m-0": ""}', None), (None, None)):
        view = StackView('i', name, 'CREATE_COMPLETE', outputs={'coe_version': data})
        assert Kubernetes().status_of(spec, {'base': view}).coe_version == version
