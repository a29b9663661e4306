"""A whole OpenStack, started and stopped: its services, the real Heat, and what runs on servers."""

import concurrent.futures
import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

from magnum_lite_dev.fixture import RunningHeat, running_heat
from magnum_lite_dev.keystone_process import RunningKeystone, running_keystone
from magnum_lite_dev.openstack import seed, stores
from magnum_lite_dev.openstack.cinder import Cinder
from magnum_lite_dev.openstack.glance import Glance
from magnum_lite_dev.openstack.metadata import Metadata
from magnum_lite_dev.openstack.neutron import Neutron
from magnum_lite_dev.openstack.nodes import Nodes
from magnum_lite_dev.openstack.nova import Nova
from magnum_lite_dev.openstack.octavia import Octavia
from magnum_lite_dev.openstack.placement import Placement
from magnum_lite_dev.openstack.service import BROKER, DATABASE
from magnum_lite_dev.openstack.site import Site

OURS = 'magnum_lite'  # the database that is left empty
SERVICES = (Nova, Neutron, Cinder, Octavia, Glance, Placement)  # the slowest to migrate first
MIGRATE_AT_ONCE = 2


@dataclasses.dataclass(frozen=True)
class OpenStack:
    """A cloud that answers.

    :ivar heat: whose catalog names Heat alone; all others are in Keystone's.
    :ivar nodes: of all servers.
    :ivar database: URL of an empty database for the service.
    :ivar broker: transport URL.
    """

    site: Site
    keystone: RunningKeystone
    heat: RunningHeat
    nodes: Nodes
    database: str
    broker: str


@contextlib.contextmanager
def running_openstack(state, venv) -> Iterator[OpenStack]:
    """Start a cloud over an empty directory, and stop it at the end.

    :param venv: the environment that ``tools/openstack.py`` has made.
    :returns: context manager with an :class:`OpenStack`.
    :raises ServiceDidNotStart: or another error of a service, with what it said last.
    """
    state = pathlib.Path(state)
    site = Site(state / 'site', venv)
    identity = site.port('keystone')
    site.values['identity'] = f'http://127.0.0.1:{identity}/v3'
    services = [service(site) for service in SERVICES]
    with contextlib.ExitStack() as stack:
        stack.callback(site.close)
        stores.start_broker(site)
        stores.start_database(site, OURS, *(name for each in services for name in each.databases))
        for service in services:
            service.configure()
        with concurrent.futures.ThreadPoolExecutor(MIGRATE_AT_ONCE) as pool:
            made = [pool.submit(service.migrate) for service in services]
            keystone = stack.enter_context(running_keystone(state / 'keystone', port=identity))
            for each in made:
                each.result()
        _enlist(keystone, services)
        stores.wait_broker(site)
        for service in services:
            service.start()
        broker = BROKER.format(**site.values)
        heat = stack.enter_context(
            running_heat(state / 'heat', keystone_url=keystone.url, transport_url=broker)
        )
        keystone.endpoints({'orchestration': heat.catalog['orchestration']})
        for service in services:
            service.wait()
        admin = keystone.session('admin', 'admin')
        seed.fill(seed.connect(admin))
        nodes = Nodes(admin, Metadata(services[0].metadata_url))
        nodes.start()
        stack.callback(nodes.stop)
        database = DATABASE.format(name=OURS).format(**site.values)
        yield OpenStack(site, keystone, heat, nodes, database, broker)


def _enlist(keystone, services) -> None:
    """Tell Keystone of the services."""
    for service in services:
        keystone.user(service.name, 'service', 'admin', 'service')
        keystone.endpoints(service.endpoints())
