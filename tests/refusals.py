"""What an OpenStack refuses: the simulated cloud is asked each of it, and so are real services."""

import base64
import contextlib
import dataclasses
import uuid

import openstack

# name -> (function of who asks, status, what is said)
CASES = {}
# Where each service keeps quotas, and in which words.
QUOTAS = {'compute': ('/os-quota-sets', 'quota_set'), 'network': ('/quotas', 'quota')}


@dataclasses.dataclass(frozen=True)
class At:
    """Who asks a cloud.

    :ivar cloud: a connection of a member of the project.
    :ivar admin: one of an administrator.
    :ivar project: its id.
    """

    cloud: openstack.connection.Connection
    admin: openstack.connection.Connection
    project: str

    @contextlib.contextmanager
    def quota(self, service, **values):
        """Let a service have other quotas for the project, while the block runs."""
        path, key = QUOTAS[service]
        proxy, path = getattr(self.admin, service), f'{path}/{self.project}'
        usual = proxy.get(path).json()[key]
        assert proxy.put(path, json={key: values}).ok
        try:
            yield
        finally:
            assert proxy.put(path, json={key: {name: usual[name] for name in values}}).ok


def case(status, said):
    """Put a function among the cases; its name says what is refused."""

    def add(function):
        CASES[function.__name__] = (function, status, said)
        return function

    return add


def network(cloud, cidr='10.7.0.0/24'):
    """A new network and its subnet."""
    made = cloud.network.create_network(name='refusals')
    return made, cloud.network.create_subnet(network_id=made.id, cidr=cidr, ip_version=4)


def boot(cloud, **values):
    """Ask for a server like any other, but for some values."""
    asked = {
        'name': 'refused',
        'image_id': cloud.image.find_image('debian-13').id,
        'flavor_id': cloud.compute.find_flavor('m1.small').id,
        **values,
    }
    if 'networks' not in asked:
        asked['networks'] = [{'uuid': network(cloud)[0].id}]
    return cloud.compute.create_server(**asked)


def routed(cloud, cidr='10.7.0.0/24'):
    """(router, subnet, port): a port that the external network reaches."""
    inner, subnet = network(cloud, cidr)
    public = cloud.network.find_network('public')
    router = cloud.network.create_router(external_gateway_info={'network_id': public.id})
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    return router, subnet, cloud.network.create_port(network_id=inner.id)


def floating(cloud, port):
    """A floating IP of a port."""
    public = cloud.network.find_network('public')
    return cloud.network.create_ip(floating_network_id=public.id, port_id=port.id)


@case(400, 'The requested availability zone is not available')
def a_server_in_no_zone(at):
    boot(at.cloud, availability_zone='nowhere')


@case(400, 'Invalid key_name provided')
def a_server_with_no_such_key_pair(at):
    boot(at.cloud, key_name='nobodys')


@case(400, 'Can not find requested image')
def a_server_of_an_image_that_was_deleted(at):
    image = at.admin.image.create_image(
        name=f'i-{uuid.uuid4()}',
        data=b'x',
        disk_format='raw',
        container_format='bare',
        visibility='public',
    )
    at.admin.image.delete_image(image)
    boot(at.cloud, image_id=image.id)


@case(400, 'could not be found')
def a_server_of_a_flavor_that_was_deleted(at):
    flavor = at.admin.compute.create_flavor(name=f'f-{uuid.uuid4()}', ram=64, vcpus=1, disk=1)
    at.admin.compute.delete_flavor(flavor)
    boot(at.cloud, flavor_id=flavor.id)


@case(403, 'Quota exceeded for instances')
def a_server_more_than_the_quota(at):
    with at.quota('compute', instances=0):
        boot(at.cloud)


@case(403, 'Quota exceeded for cores')
def a_server_with_more_cores_than_the_quota(at):
    with at.quota('compute', cores=0):
        boot(at.cloud)


@case(409, 'in use')
def a_server_at_a_port_in_use(at):
    port = at.cloud.network.create_port(network_id=network(at.cloud)[0].id)
    server = boot(at.cloud, name='first', networks=[{'port': port.id}])
    at.cloud.compute.wait_for_server(server)
    boot(at.cloud, networks=[{'port': port.id}])


@case(400, 'could not be found')
def a_server_in_no_network(at):
    boot(at.cloud, networks=[{'uuid': str(uuid.uuid4())}])


@case(400, 'Invalid input')
def a_server_with_long_metadata(at):
    boot(at.cloud, metadata={'text': 'x' * 256})


@case(400, 'Invalid input')
def a_server_with_user_data_that_is_too_long(at):
    boot(at.cloud, user_data=base64.b64encode(b'x' * 50000).decode())


@case(404, 'is not reachable from subnet')
def a_floating_ip_where_no_router_goes(at):
    floating(at.cloud, at.cloud.network.create_port(network_id=network(at.cloud)[0].id))


@case(409, 'required by one or more floating IPs')
def the_end_of_an_interface_that_a_floating_ip_needs(at):
    router, subnet, port = routed(at.cloud)
    floating(at.cloud, port)
    at.cloud.network.remove_interface_from_router(router, subnet_id=subnet.id)


@case(409, 'required by one or more floating IPs')
def the_end_of_a_gateway_that_a_floating_ip_needs(at):
    router, _, port = routed(at.cloud)
    floating(at.cloud, port)
    at.cloud.network.update_router(router, external_gateway_info={})


@case(409, 'already has')
def a_second_floating_ip_of_a_port(at):
    port = routed(at.cloud)[2]
    floating(at.cloud, port)
    floating(at.cloud, port)


@case(400, 'overlaps')
def two_subnets_that_overlap(at):
    made, _ = network(at.cloud)
    at.cloud.network.create_subnet(network_id=made.id, cidr='10.7.0.0/25', ip_version=4)


@case(400, 'overlaps')
def a_router_between_subnets_that_overlap(at):
    router = routed(at.cloud)[0]
    at.cloud.network.add_interface_to_router(
        router, subnet_id=network(at.cloud, '10.7.0.0/16')[1].id
    )


@case(400, 'is not a valid IP for the specified subnet')
def an_address_outside_of_the_subnet(at):
    made, subnet = network(at.cloud)
    address = {'subnet_id': subnet.id, 'ip_address': '10.8.0.9'}
    at.cloud.network.create_port(network_id=made.id, fixed_ips=[address])


@case(409, 'already allocated in subnet')
def an_address_that_a_port_has(at):
    made, subnet = network(at.cloud)
    address = {'subnet_id': subnet.id, 'ip_address': '10.7.0.9'}
    for _ in range(2):
        at.cloud.network.create_port(network_id=made.id, fixed_ips=[address])


@case(409, "Quota exceeded for resources: ['port']")
def a_port_more_than_the_quota(at):
    made, _ = network(at.cloud)
    with at.quota('network', port=0):
        at.cloud.network.create_port(network_id=made.id)


@case(404, 'does not exist')
def a_port_in_no_group(at):
    made, _ = network(at.cloud)
    at.cloud.network.create_port(network_id=made.id, security_group_ids=[str(uuid.uuid4())])


@case(409, 'in use')
def the_end_of_a_network_with_ports(at):
    made, _ = network(at.cloud)
    at.cloud.network.create_port(network_id=made.id)
    at.cloud.network.delete_network(made)


@case(409, 'in use')
def the_end_of_a_group_of_a_port(at):
    group = at.cloud.network.create_security_group(name='g')
    made, _ = network(at.cloud)
    at.cloud.network.create_port(network_id=made.id, security_group_ids=[group.id])
    at.cloud.network.delete_security_group(group)


@case(409, 'already exists')
def a_rule_that_a_group_has(at):
    group = at.cloud.network.create_security_group(name='g')
    for _ in range(2):
        at.cloud.network.create_security_group_rule(
            security_group_id=group.id,
            direction='ingress',
            protocol='tcp',
            port_range_min=22,
            port_range_max=22,
        )


@case(400, 'Invalid CIDR anywhere')
def a_rule_of_something_that_is_no_network(at):
    group = at.cloud.network.create_security_group(name='g')
    at.cloud.network.create_security_group_rule(
        security_group_id=group.id, direction='ingress', remote_ip_prefix='anywhere'
    )


@case(400, 'must be <=')
def a_rule_of_ports_upside_down(at):
    group = at.cloud.network.create_security_group(name='g')
    at.cloud.network.create_security_group_rule(
        security_group_id=group.id,
        direction='ingress',
        protocol='tcp',
        port_range_min=30,
        port_range_max=20,
    )
