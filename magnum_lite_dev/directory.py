"""Who and what a Keystone knows: users, projects, roles, endpoints; an admin changes it."""

from typing import Any

from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client

PASSWORD = 'secret'  # noqa: S105 - of everybody, on loopback
REGION = 'RegionOne'
# What the catalog calls them, where that differs from the type.
NAMES = {'container-infra': 'magnum'}
# How a service user proves itself, in the words of keystoneauth's options.
ACCOUNT = f"""\
auth_url = {{url}}
auth_type = password
username = {{user}}
password = {PASSWORD}
user_domain_id = default
project_name = service
project_domain_id = default
"""


class Directory:
    """A Keystone seen by its administrator.

    :param url: with /v3.
    """

    def __init__(self, url) -> None:
        self.url = url
        self.admin = client.Client(session=self.session('admin', 'admin'), interface='public')

    def session(self, user, project=None, **scope) -> session.Session:
        """A session of a user, whose password is everybody's.

        :param project: name of the project to work in; None for none.
        :param scope: instead of a project: ``system_scope='all'``, ``trust_id=...``.
        """
        if project:
            scope = {'project_name': project, 'project_domain_id': 'default'}
        return session.Session(
            v3.Password(
                self.url, username=user, password=PASSWORD, user_domain_id='default', **scope
            )
        )

    def client(self, of) -> client.Client:
        """Keystone as the owner of a session sees it."""
        return client.Client(session=of, interface='public')

    def project(self, name) -> str:
        """Id of a project; made when there is none."""
        return (
            _one(self.admin.projects.list(name=name))
            or self.admin.projects.create(name, 'default').id
        )

    def user(self, name, project=None, *roles) -> str:
        """Id of a user, made when there is none, who then has these roles in a project."""
        user = (
            _one(self.admin.users.list(name=name, domain='default'))
            or self.admin.users.create(name, domain='default', password=PASSWORD).id
        )
        for role in roles:
            self.admin.roles.grant(self.role(role), user=user, project=self.project(project))
        return user

    def role(self, name) -> str:
        """Id of a role; made when there is none."""
        return _one(self.admin.roles.list(name=name)) or self.admin.roles.create(name).id

    def endpoints(self, urls) -> None:
        """Put services into the catalog: ``{type: URL}``, ``%(project_id)s`` is filled in."""
        for kind, url in urls.items():
            service = self.admin.services.create(NAMES.get(kind, kind), kind)
            for interface in ('public', 'internal', 'admin'):
                self.admin.endpoints.create(service, url, interface=interface, region=REGION)

    def populate(self) -> None:
        """Make what Heat and the service need, and a tenant."""
        for name in ('heat', 'magnum'):
            self.user(name, 'service', 'admin', 'service')
        self.user('demo', 'demo', 'member')
        self.role('heat_stack_user')
        domain = self.admin.domains.create('heat')
        keeper = self.admin.users.create('heat_domain_admin', domain=domain, password=PASSWORD)
        self.admin.roles.grant(self.role('admin'), user=keeper, domain=domain)


def _one(found) -> Any:
    return found[0].id if found else None
