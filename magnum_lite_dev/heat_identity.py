"""Stands in for Keystone in the embedded Heat: who asks, trusts, and users of stack domains."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import WSGIApplication

from heat.common import context as heat_context
from keystoneauth1 import access, session
from keystoneauth1.identity import access as access_plugin

from magnum_lite_dev.sim_cloud.identity import TABLE

# Never called; Heat only must not go looking for one.
AUTH_URL = 'http://127.0.0.1:1/v3'
DEFAULT_ROLES = 'member,reader'


class Surroundings:
    """What this process's Heat finds around it; filled in by whoever starts it.

    ``catalog`` is {service type: URL, with ``%(project_id)s``}, ``store`` the simulated cloud's
    state, ``identity_url`` where a node buys a token.
    """

    catalog = {}
    store = None
    identity_url = ''


def token_body(user, project, roles) -> dict[str, Any]:
    """The body of the token that Keystone would have given, with the simulated catalog."""
    domain = {'id': 'default', 'name': 'Default'}
    catalog = [
        {
            'type': kind,
            'name': kind,
            'id': kind,
            'endpoints': [
                {
                    'interface': interface,
                    'region': 'RegionOne',
                    'region_id': 'RegionOne',
                    'url': url % {'project_id': project},
                    'id': kind + interface,
                }
                for interface in ('public', 'internal', 'admin')
            ],
        }
        for kind, url in Surroundings.catalog.items()
    ]
    return {
        'token': {
            'methods': ['password'],
            'expires_at': '2099-01-01T00:00:00.000000Z',
            'issued_at': '2020-01-01T00:00:00.000000Z',
            'catalog': catalog,
            'user': {'id': user, 'name': user, 'domain': domain},
            'project': {'id': project, 'name': project, 'domain': domain},
            'roles': [{'id': role, 'name': role} for role in roles],
        }
    }


def auth_plugin(user, project) -> access_plugin.AccessInfoPlugin:
    """A keystoneauth plugin that acts as this user in this project of the simulated cloud."""
    body = token_body(user, project, ('admin', 'member'))
    return access_plugin.AccessInfoPlugin(
        access.create(body=body, auth_token=f'{user}:{project}'), auth_url=AUTH_URL
    )


def filter_factory(global_conf, **local_conf) -> Callable[[WSGIApplication], WSGIApplication]:
    """The paste filter that believes the token ``user:project[:role,role]``.

    Without a token the caller is an admin of the project in the URL: handy for looking at stacks
    by hand, and the reason why all this listens on the loopback address only.
    """

    def wrap(app) -> WSGIApplication:
        def believe(environ, start_response) -> Iterable[bytes]:
            user, project, roles = _caller(environ)
            environ.update(
                {
                    'HTTP_X_IDENTITY_STATUS': 'Confirmed',
                    'HTTP_X_ROLES': roles,
                    'HTTP_X_PROJECT_ID': project,
                    'HTTP_X_PROJECT_NAME': project,
                    'HTTP_X_USER_ID': user,
                    'HTTP_X_USER_NAME': user,
                    'HTTP_X_AUTH_TOKEN': f'{user}:{project}',
                    'HTTP_X_AUTH_URL': AUTH_URL,
                    'keystone.token_info': token_body(user, project, roles.split(',')),
                }
            )
            return app(environ, start_response)

        return believe

    return wrap


def _caller(environ) -> tuple[str, str, str]:
    token = environ.get('HTTP_X_AUTH_TOKEN', '')
    if ':' in token:
        user, project, *rest = token.split(':')
        return user, project, rest[0] if rest and rest[0] else DEFAULT_ROLES
    parts = environ['PATH_INFO'].split('/')
    project = parts[2] if len(parts) > 2 and parts[2] else 'admin'
    return 'admin', project, 'admin,member,reader'


def trusts_auth_plugin(context) -> access_plugin.AccessInfoPlugin:
    """How Heat acts through a trust: as the trustor, whom the context or the trust names."""
    trustor = Keystone.trusts.get(context.trust_id, (context.trustor_user_id, context.project_id))
    return auth_plugin(*trustor)


class Keystone:
    """What Heat asks of its Keystone client; Heat makes one per request, so state is the class's.

    The users of stack domains live in the simulated cloud, which outlives this process.
    """

    trusts = {}
    stack_domain_id = 'heat'

    def __init__(self, context, region_name=None) -> None:
        self.context = context
        self.session = session.Session()
        self.v3_endpoint = AUTH_URL

    def create_trust_context(self) -> Any:
        """A context that acts for the caller through a new trust."""
        trust_id = uuid.uuid4().hex
        self.trusts[trust_id] = (self.context.user_id, self.context.project_id)
        context = heat_context.RequestContext.from_dict(self.context.to_dict())
        context.trust_id, context.trustor_user_id = trust_id, self.context.user_id
        return context

    regenerate_trust_context = create_trust_context

    def delete_trust(self, trust_id) -> None:
        """Forget the trust, if there is one."""
        self.trusts.pop(trust_id, None)

    def create_stack_domain_project(self, stack_id) -> str:
        """The id of a new project for the users of one stack."""
        return f'stackuser-{uuid.uuid4().hex[:16]}'

    def delete_stack_domain_project(self, project_id) -> None:
        """Nothing is kept of such a project."""

    def create_stack_domain_user(self, username, project_id, password=None) -> str:
        """The id of a new user, who can buy a token with the password."""
        with Surroundings.store.lock:
            return Surroundings.store.put(
                TABLE,
                {
                    'id': uuid.uuid4().hex,
                    'name': username,
                    'project': project_id,
                    'password': password,
                },
            )['id']

    def delete_stack_domain_user(self, user_id, project_id) -> None:
        """Forget the user, if there is one."""
        with Surroundings.store.lock:
            Surroundings.store.tables.get(TABLE, {}).pop(user_id, None)

    def enable_stack_domain_user(self, user_id, project_id) -> None:
        """Users are never disabled here."""

    disable_stack_domain_user = enable_stack_domain_user

    def stack_domain_user_token(self, user_id, project_id, password) -> str:
        """The token of a stack-domain user."""
        return f'{user_id}:{project_id}:heat_stack_user'

    def server_keystone_endpoint_url(self, fallback_endpoint) -> str:
        """Where a node buys its token."""
        return Surroundings.identity_url
