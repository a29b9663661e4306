"""What a fresh cloud has: flavors, images, a network, as in the simulated one; and zones."""

import time

import openstack

from magnum_lite_dev.openstack.nova import HOSTS
from magnum_lite_dev.openstack.site import START_WITHIN_S
from magnum_lite_dev.sim_cloud import seed

# Of the hosts: one that is in none counts as in Nova's own.
ZONES = (None, 'zone-2')


def connect(session) -> openstack.connection.Connection:
    """The cloud as the owner of a session sees it."""
    return openstack.connection.Connection(session=session, region_name='RegionOne')


def fill(cloud) -> None:
    """Make all that, by an administrator's connection."""
    for name, vcpus, ram, disk in seed.FLAVORS:
        cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    for name, distro in seed.IMAGES:
        add_image(cloud, name, **({'os_distro': distro} if distro else {}))
    network = cloud.network.create_network(name='public', is_router_external=True, is_shared=True)
    cloud.network.create_subnet(
        name='public-v4',
        network_id=network.id,
        cidr=seed.EXTERNAL_CIDR,
        ip_version=4,
        is_dhcp_enabled=False,
    )
    for zone, host in zip(ZONES, HOSTS, strict=True):
        named = {'availability_zone': zone} if zone else {}
        aggregate = cloud.compute.create_aggregate(name=host, **named)
        _add_host(cloud, aggregate, host)


def _add_host(cloud, aggregate, host) -> None:
    """Put a host into an aggregate, once Nova has found it."""
    deadline = time.monotonic() + START_WITHIN_S
    while True:
        try:
            cloud.compute.add_host_to_aggregate(aggregate, host)
        except openstack.exceptions.NotFoundException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def add_image(cloud, name, **properties) -> str:
    """Id of a new image that everybody sees."""
    return cloud.image.create_image(
        name=name,
        data=b'nothing boots from it',
        disk_format='raw',
        container_format='bare',
        visibility='public',
        **properties,
    ).id
