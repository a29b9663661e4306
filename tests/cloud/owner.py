"""The owner of clusters, and what the cloud has of them."""

import openstack

from magnum_lite_dev.openstack.seed import connect
from tests.somebody import Tenant

# What a cluster leaves behind if its deletion forgets something.
KINDS = {
    'servers': lambda cloud: cloud.compute.servers(),
    'ports': lambda cloud: cloud.network.ports(),
    'networks': lambda cloud: (
        each for each in cloud.network.networks() if not each.is_router_external
    ),
    'routers': lambda cloud: cloud.network.routers(),
    'addresses': lambda cloud: cloud.network.ips(),
    'volumes': lambda cloud: cloud.block_storage.volumes(),
    'groups': lambda cloud: (
        group for group in cloud.network.security_groups() if group.name != 'default'
    ),
}


class Owner(Tenant):
    """A tenant who looks into the cloud too."""

    def __init__(self, service, user, project):
        super().__init__(service, user, project)
        self.cloud: openstack.connection.Connection = connect(self.session)

    def servers(self):
        """{name: server} of the project."""
        return {server.name: server for server in self.cloud.compute.servers()}

    def leftovers(self):
        """{kind: names} of what there is in the project, its own default group apart."""
        found = {
            kind: sorted(each.name or each.id for each in listed(self.cloud))
            for kind, listed in KINDS.items()
        }
        return {kind: names for kind, names in {**found, 'stacks': self.stacks()}.items() if names}
