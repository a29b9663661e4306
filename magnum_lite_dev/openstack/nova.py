"""Nova with hosts that only say that servers run."""

import shutil

from magnum_lite_dev.openstack.service import BROKER, DATABASE, Service

HOSTS = ('host-1', 'host-2')
# What Neutron's proxy signs the id of a server with, when the server asks for its metadata.
METADATA_SECRET = 'metadata'  # noqa: S105 - on loopback
CONF = f"""\
[DEFAULT]
transport_url = {BROKER}
compute_driver = fake.FakeDriver
host = {HOSTS[0]}
my_ip = 127.0.0.1
state_path = {{state}}
log_dir = {{state}}/nova
# Neutron has no agent that would tell.
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
sync_power_state_interval = -1
[api]
auth_strategy = keystone
[database]
connection = {DATABASE.format(name='nova_cell1')}
[api_database]
connection = {DATABASE.format(name='nova_api')}
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 2
[filter_scheduler]
enabled_filters = ComputeFilter,ServerGroupAntiAffinityFilter
[vnc]
enabled = false
[glance]
api_servers = http://127.0.0.1:{{glance_port}}
[cinder]
catalog_info = block-storage::publicURL
[service_user]
send_service_user_token = true
[neutron]
service_metadata_proxy = true
metadata_proxy_shared_secret = {METADATA_SECRET}
"""
MANAGE = ('nova-manage', '--config-file', 'nova.conf')


class Nova(Service):
    """The real Nova with its fake driver."""

    name = 'nova'
    databases = ('nova_api', 'nova_cell0', 'nova_cell1')
    conf = ('nova.conf', CONF)
    accounts = ('placement', 'neutron', 'service_user', 'cinder')

    def configure(self) -> None:
        """Write its configuration; its APIs want the one of paste beside it."""
        super().configure()
        for host in HOSTS:
            self.site.write(f'{host}.conf', f'[DEFAULT]\nhost = {host}\n')
        shutil.copy(self.site.venv / 'etc/nova/api-paste.ini', self.site.state)

    def migrate(self) -> None:
        """Make its tables and its cells."""
        run = self.site.run
        run(*MANAGE, 'api_db', 'sync')
        cell0 = DATABASE.format(name='nova_cell0').format(**self.site.values)
        run(*MANAGE, 'cell_v2', 'map_cell0', '--database_connection', cell0)
        run(*MANAGE, 'cell_v2', 'create_cell', '--name', 'cell1')
        run(*MANAGE, 'db', 'sync')

    def start(self) -> None:
        """Start its APIs, a conductor, a scheduler, and the hosts."""
        here = {'OS_NOVA_CONFIG_DIR': str(self.site.state)}
        self.site.serve(self.name, 'nova.wsgi.osapi_compute', **here)
        self.metadata_url = self.site.serve('nova-metadata', 'nova.wsgi.metadata', **here)
        for name in ('nova-conductor', 'nova-scheduler'):
            self.site.spawn(name, self.site.program(name), '--config-file', 'nova.conf')
        for host in HOSTS:
            self.site.spawn(
                f'nova-{host}',
                self.site.program('nova-compute'),
                '--config-file',
                'nova.conf',
                '--config-file',
                f'{host}.conf',
            )

    def wait(self) -> None:
        """Go on when its APIs answer; its hosts may come later."""
        super().wait()
        self.site.wait('nova-metadata', self.metadata_url)

    def endpoints(self) -> dict[str, str]:
        """Its one endpoint."""
        return {'compute': f'{self.url}/v2.1'}
