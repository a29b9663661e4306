"""Neutron without agents: every port is bound and active at once."""

from magnum_lite_dev.openstack.service import BROKER, DATABASE, Service

CONF = f"""\
[DEFAULT]
transport_url = {BROKER}
core_plugin = ml2
service_plugins = router
auth_strategy = keystone
log_dir = {{state}}/neutron
api_paste_config = {{etc}}/neutron/api-paste.ini
notify_nova_on_port_status_changes = true
rpc_workers = 0
[database]
connection = {DATABASE.format(name='neutron')}
[ml2]
type_drivers = local,flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = always_bound
extension_drivers = port_security
[ml2_type_vxlan]
vni_ranges = 1:65000
[ml2_type_flat]
flat_networks = *
"""
DRIVER = '''\
"""Binds every port, and says that it is active."""

from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class AlwaysBound(api.MechanismDriver):
    def initialize(self):
        pass

    def bind_port(self, context):
        for segment in context.segments_to_bind:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_OVS,
                {portbindings.CAP_PORT_FILTER: True},
                status=constants.PORT_STATUS_ACTIVE,
            )
            return
'''


class Neutron(Service):
    """The real Neutron, with ML2 and routers."""

    name = 'neutron'
    databases = ('neutron',)
    conf = ('neutron.conf', CONF)
    accounts = ('nova', 'placement')

    def configure(self) -> None:
        """Write its configuration, and the driver."""
        super().configure()
        self.site.package(
            'always_bound',
            DRIVER,
            {'neutron.ml2.mechanism_drivers': 'always_bound = always_bound:AlwaysBound'},
        )

    def migrate(self) -> None:
        """Make its tables."""
        self.site.run('neutron-db-manage', '--config-file', 'neutron.conf', 'upgrade', 'heads')

    def start(self) -> None:
        """Start its API."""
        self.site.serve(
            self.name,
            'neutron.wsgi.api',
            threads=8,
            OS_NEUTRON_CONFIG_DIR=str(self.site.state),
            OS_NEUTRON_CONFIG_FILES='neutron.conf',
        )

    def endpoints(self) -> dict[str, str]:
        """Its one endpoint."""
        return {'network': self.url}
