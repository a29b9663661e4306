"""What a fresh simulated cloud already has: flavors, images, an external network, a key pair."""

import ipaddress
from typing import Any

from magnum_lite_dev.sim_cloud.request import now

# (name, vCPUs, MiB of memory, GiB of disk)
FLAVORS = (
    ('m1.small', 1, 2048, 20),
    ('m1.medium', 2, 4096, 40),
    ('m1.large', 4, 8192, 80),
    ('bm.large', 32, 131072, 480),
    ('m1.diskless', 1, 2048, 0),
)
# (name, os_distro); one image has no distribution, as an operator may have forgotten it.
IMAGES = (('debian-13', 'debian'), ('ubuntu-24.04', 'ubuntu'), ('cirros', None))
ZONES = ('nova', 'zone-2')
# A real key that nobody has the other half of; every user owns it under the name below.
KEYPAIR = 'demo'
PUBLIC_KEY = (
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINf8HvYPD7yMe/1Ie739VnwdxB88xl8HWF6+lSx8xM5W demo@sim'
)
EVERYBODY = '*'
# Nothing on this machine answers at these addresses.
EXTERNAL_CIDR = '203.0.0.0/16'


def fill(store, external_cidr) -> None:
    """Put the seed into an empty store; floating IPs come from ``external_cidr``."""
    _put_flavors(store)
    _put_images(store)
    store.put(
        'os-keypairs',
        {
            'id': f'{EVERYBODY}/{KEYPAIR}',
            'name': KEYPAIR,
            'type': 'ssh',
            'public_key': PUBLIC_KEY,
            'fingerprint': '00:00',
            '_user': EVERYBODY,
        },
    )
    for name in ('__DEFAULT__', 'ssd'):
        store.put('types', {'name': name, 'is_public': True, 'extra_specs': {}})
    _put_network(store, external_cidr)


def _put_flavors(store) -> None:
    for number, (name, vcpus, ram, disk) in enumerate(FLAVORS, 1):
        put_flavor(store, str(number), name=name, vcpus=vcpus, ram=ram, disk=disk)


def put_flavor(store, ident, *, name, vcpus, ram, disk) -> dict[str, Any]:
    """The row of a new flavor.

    :param ram: MiB.
    :param disk: GiB.
    """
    return store.put(
        'flavors',
        {
            'id': ident,
            'name': name,
            'vcpus': vcpus,
            'ram': ram,
            'disk': disk,
            'swap': '',
            'rxtx_factor': 1.0,
            'links': [],
            'OS-FLV-EXT-DATA:ephemeral': 0,
            'OS-FLV-DISABLED:disabled': False,
            'os-flavor-access:is_public': True,
        },
    )


def _put_images(store) -> None:
    for name, distro in IMAGES:
        put_image(store, name=name, **({'os_distro': distro} if distro else {}))


def put_image(store, **given) -> dict[str, Any]:
    """The row of a new image, whose data nobody uploads."""
    return store.put(
        'images',
        {
            'status': 'active',
            'visibility': 'public',
            'min_disk': 0,
            'min_ram': 0,
            'size': 1,
            'container_format': 'bare',
            'tags': [],
            'disk_format': 'qcow2',
            'created_at': now(),
            'updated_at': now(),
            **given,
        },
    )


def _put_network(store, cidr) -> None:
    network = store.put(
        'networks',
        {
            'name': 'public',
            'shared': True,
            'status': 'ACTIVE',
            'admin_state_up': True,
            'mtu': 1500,
            'tags': [],
            'subnets': [],
            'router:external': True,
            'project_id': 'admin',
            'port_security_enabled': True,
            'revision_number': 1,
        },
    )
    subnet = store.put(
        'subnets',
        {
            'name': 'public-v4',
            'network_id': network['id'],
            'cidr': cidr,
            'ip_version': 4,
            'gateway_ip': str(ipaddress.ip_network(cidr)[1]),
            'enable_dhcp': False,
            'tags': [],
            'dns_nameservers': [],
            'host_routes': [],
            'allocation_pools': [],
            'project_id': 'admin',
            'revision_number': 1,
        },
    )
    network['subnets'].append(subnet['id'])
