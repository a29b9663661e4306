"""Cinder with a driver that makes volumes of nothing."""

from magnum_lite_dev.openstack.service import BROKER, DATABASE, Service

CONF = f"""\
[DEFAULT]
transport_url = {BROKER}
auth_strategy = keystone
enabled_backends = nothing
glance_api_servers = http://127.0.0.1:{{glance_port}}
host = volumes
my_ip = 127.0.0.1
state_path = {{state}}/cinder
log_dir = {{state}}/cinder
api_paste_config = {{etc}}/cinder/api-paste.ini
resource_query_filters_file = {{etc}}/cinder/resource_filters.json
[nothing]
volume_driver = volumes_of_nothing.Driver
volume_backend_name = nothing
[coordination]
backend_url = file://{{state}}/cinder
[database]
connection = {DATABASE.format(name='cinder')}
"""
DRIVER = '''\
"""Says that volumes are there."""

from cinder.volume import driver


class Driver(driver.VolumeDriver):
    VERSION = '1'

    def check_for_setup_error(self):
        pass

    def create_volume(self, volume):
        pass

    def delete_volume(self, volume):
        pass

    def extend_volume(self, volume, new_size):
        pass

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        # It has what the image has: nobody fetches that.
        return {}, True

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def initialize_connection(self, volume, connector):
        return {'driver_volume_type': 'nothing', 'data': {}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': 'nothing',
            'vendor_name': 'nobody',
            'driver_version': self.VERSION,
            'storage_protocol': 'nothing',
            'total_capacity_gb': 'infinite',
            'free_capacity_gb': 'infinite',
        }
'''


class Cinder(Service):
    """The real Cinder: API, scheduler, and one place of volumes."""

    name = 'cinder'
    databases = ('cinder',)
    conf = ('cinder.conf', CONF)
    accounts = ('nova', 'service_user')

    def configure(self) -> None:
        """Write its configuration, and the driver."""
        super().configure()
        self.site.package('volumes_of_nothing', DRIVER, {})

    def migrate(self) -> None:
        """Make its tables."""
        self.site.run('cinder-manage', '--config-file', 'cinder.conf', 'db', 'sync')

    def start(self) -> None:
        """Start its API, the scheduler, and the place of volumes."""
        # It looks for its configuration in the home, too.
        self.site.serve(self.name, 'cinder.wsgi.api', HOME=str(self.site.state))
        for name in ('cinder-scheduler', 'cinder-volume'):
            self.site.spawn(name, self.site.program(name), '--config-file', 'cinder.conf')

    def endpoints(self) -> dict[str, str]:
        """Its endpoint, by the name of today and by the one that Heat asks for."""
        url = f'{self.url}/v3/%(project_id)s'
        return {'block-storage': url, 'volumev3': url}
