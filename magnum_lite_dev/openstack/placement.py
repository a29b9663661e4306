"""Placement: which host has room."""

from magnum_lite_dev.openstack.service import DATABASE, Service

CONF = f"""\
[DEFAULT]
log_dir = {{state}}/placement
[api]
auth_strategy = keystone
[placement_database]
connection = {DATABASE.format(name='placement')}
"""


class Placement(Service):
    """The real Placement."""

    name = 'placement'
    databases = ('placement',)
    conf = ('placement.conf', CONF)

    def migrate(self) -> None:
        """Make its tables."""
        self.site.run('placement-manage', '--config-file', 'placement.conf', 'db', 'sync')

    def start(self) -> None:
        """Start its API."""
        self.site.serve(
            self.name, 'placement.wsgi.api', OS_PLACEMENT_CONFIG_DIR=str(self.site.state)
        )

    def endpoints(self) -> dict[str, str]:
        """Its one endpoint."""
        return {'placement': self.url}
