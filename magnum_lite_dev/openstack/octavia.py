"""Octavia with its no-op provider, and an agent that says that all is done which was asked for."""

from magnum_lite_dev.openstack.service import BROKER, DATABASE, Service

# The agent reads what is pending, as the provider keeps nothing.
CONF = f"""\
[DEFAULT]
transport_url = {BROKER}
log_dir = {{state}}/octavia
[api_settings]
auth_strategy = keystone
enabled_provider_drivers = settled:the no-op provider
default_provider_driver = settled
[driver_agent]
status_socket_path = {{state}}/octavia/status.sock
stats_socket_path = {{state}}/octavia/stats.sock
get_socket_path = {{state}}/octavia/get.sock
enabled_provider_agents = settled
[networking]
port_detach_timeout = 30
[database]
connection = {DATABASE.format(name='octavia')}
"""
DRIVER = '''\
"""The no-op provider, whose VIPs have real ports; its agent says that all is done."""

import sqlalchemy
from octavia.api.drivers.noop_driver import driver
from octavia_lib.api.drivers import driver_lib
from oslo_config import cfg

PAUSE_S = 0.3
TABLES = {
    'loadbalancers': 'load_balancer',
    'listeners': 'listener',
    'pools': 'pool',
    'members': 'member',
    'healthmonitors': 'health_monitor',
}


class Driver(driver.NoopProviderDriver):
    def create_vip_port(self, *given):
        # What refuses lets Octavia make one in Neutron.
        return super(driver.NoopProviderDriver, self).create_vip_port(*given)


def settle(exit_event):
    conf = cfg.CONF
    engine = sqlalchemy.create_engine(conf.database.connection)
    sockets = conf.driver_agent
    library = driver_lib.DriverLibrary(
        status_socket=sockets.status_socket_path,
        stats_socket=sockets.stats_socket_path,
        get_socket=sockets.get_socket_path,
    )
    while not exit_event.wait(PAUSE_S):
        with engine.connect() as connection:
            told = {kind: _settled(connection, table) for kind, table in TABLES.items()}
        told = {kind: rows for kind, rows in told.items() if rows}
        if told:
            library.update_loadbalancer_status(told)


def _settled(connection, table):
    pending = sqlalchemy.text(
        f"SELECT id, provisioning_status FROM {table} WHERE provisioning_status LIKE 'PENDING%'"
    )
    return [
        {
            'id': ident,
            'provisioning_status': 'DELETED' if status == 'PENDING_DELETE' else 'ACTIVE',
            'operating_status': 'ONLINE',
        }
        for ident, status in connection.execute(pending)
    ]
'''


class Octavia(Service):
    """The real API of Octavia, and its agent of providers."""

    name = 'octavia'
    databases = ('octavia',)
    conf = ('octavia.conf', CONF)
    accounts = ('service_auth', 'neutron')

    def configure(self) -> None:
        """Write its configuration, and the provider."""
        super().configure()
        self.site.package(
            'settled',
            DRIVER,
            {
                'octavia.api.drivers': 'settled = settled:Driver',
                'octavia.driver_agent.provider_agents': 'settled = settled:settle',
            },
        )

    def migrate(self) -> None:
        """Make its tables."""
        self.site.run('octavia-db-manage', '--config-file', 'octavia.conf', 'upgrade', 'head')

    def start(self) -> None:
        """Start its API and the agent."""
        # It looks for its configuration in the home, too.
        self.site.serve(self.name, 'octavia.wsgi.api', HOME=str(self.site.state))
        agent = self.site.program('octavia-driver-agent')
        self.site.spawn('octavia-agent', agent, '--config-file', 'octavia.conf')

    def endpoints(self) -> dict[str, str]:
        """Its one endpoint."""
        return {'load-balancer': self.url}
