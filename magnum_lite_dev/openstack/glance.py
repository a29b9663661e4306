"""Glance, with images in files."""

from magnum_lite_dev.openstack.service import DATABASE, Service

# Its packaged paste file: a shorter one breaks the discovery of versions.
CONF = f"""\
[DEFAULT]
enabled_backends = files:file
log_dir = {{state}}/glance
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = {{state}}/images
[paste_deploy]
flavor = keystone
config_file = {{etc}}/glance/glance-api-paste.ini
[database]
connection = {DATABASE.format(name='glance')}
"""


class Glance(Service):
    """The real Glance."""

    name = 'glance'
    databases = ('glance',)
    conf = ('glance-api.conf', CONF)

    def configure(self) -> None:
        """Write its configuration, and make the folder of images."""
        super().configure()
        (self.site.state / 'images').mkdir()

    def migrate(self) -> None:
        """Make its tables."""
        self.site.run('glance-manage', '--config-file', 'glance-api.conf', 'db_sync')

    def start(self) -> None:
        """Start its API."""
        self.site.serve(
            self.name,
            'glance.wsgi.api',
            OS_GLANCE_CONFIG_DIR=str(self.site.state),
            OS_GLANCE_CONFIG_FILES='glance-api.conf',
        )

    def endpoints(self) -> dict[str, str]:
        """Its one endpoint."""
        return {'image': self.url}
