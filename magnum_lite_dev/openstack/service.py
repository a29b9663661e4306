"""What every service is told alike: who vouches for callers, and as whom it calls others."""

from typing import ClassVar

from magnum_lite_dev.directory import PASSWORD, REGION

COMMON = f"""
[keystone_authtoken]
www_authenticate_uri = {{identity}}
auth_url = {{identity}}
auth_type = password
username = {{user}}
password = {PASSWORD}
user_domain_id = default
project_name = service
project_domain_id = default
service_token_roles = service
service_token_roles_required = true
[oslo_policy]
enforce_scope = false
[oslo_concurrency]
lock_path = {{state}}/lock
"""
ACCOUNT = f"""
[{{section}}]
auth_url = {{identity}}
auth_type = password
username = {{user}}
password = {PASSWORD}
user_domain_id = default
project_name = service
project_domain_id = default
region_name = {REGION}
"""
DATABASE = 'mysql+pymysql://cloud@127.0.0.1:{{mariadb_port}}/{name}'
BROKER = 'rabbit://guest:guest@127.0.0.1:{rabbitmq_port}/'


class Service:
    """One service of the cloud; a subclass says what is its own.

    :cvar name: of its user, and of its process.
    :cvar databases: that it needs.
    :cvar conf: (file, text) of its configuration, filled in with the values of the site.
    :cvar accounts: sections by which it calls other services.
    """

    name = ''
    databases: ClassVar[tuple[str, ...]] = ()
    conf: ClassVar[tuple[str, str]] = ('', '')
    accounts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, site) -> None:
        self.site = site
        self.url = f'http://127.0.0.1:{site.port(self.name)}'

    def configure(self) -> None:
        """Write its files, and make the folder of its logs."""
        (self.site.state / self.name).mkdir()
        file, text = self.conf
        accounts = ''.join(ACCOUNT.replace('{section}', section) for section in self.accounts)
        self.site.write(file, text + COMMON + accounts, user=self.name)

    def migrate(self) -> None:
        """Make its tables; may run beside what others do."""

    def start(self) -> None:
        """Start its processes, from the main thread."""

    def wait(self) -> None:
        """Go on when it answers."""
        self.site.wait(self.name, self.url)

    def endpoints(self) -> dict[str, str]:
        """{type: URL} of the catalog."""
        return {}
