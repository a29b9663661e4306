"""Who asks: the context of a request, and the identity of development."""

import ipaddress
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from keystoneauth1 import access
from keystoneauth1.identity import access as access_plugin
from oslo_config import cfg
from oslo_context import context
from oslo_utils import netutils

from magnum_lite.exceptions import Forbidden
from magnum_lite.policy import OF_PROJECTS, enforcer

SERVICE_TYPE = 'container-infra'  # what catalogs call this service
MOST_TOKEN = 255  # user and project have to fit their columns
TOKEN_ROLES = ('member', 'reader')  # of a development token that names none
AUTH = 'keystone.token_auth'  # the caller's, as keystonemiddleware calls it
PEER = 'magnum_lite.peer'  # who is connected, in the environment of a request
NOWHERE = 'http://127.0.0.1:1/v3'  # the development identity never calls a Keystone
_INTERFACES = ('public', 'internal', 'admin')
_FORGEABLE = ('HTTP_X_', 'HTTP_OPENSTACK_SYSTEM_SCOPE')


class Policy:
    """Decisions by the rules, each remembered for a second.

    oslo.policy looks at its files and inspects its checks at every decision, which was a quarter
    of a GET; a request takes three.
    """

    KEEP_S = 1.0
    MOST = 10_000

    def __init__(self, conf: cfg.ConfigOpts):
        self._enforcer = enforcer(conf)
        self._known: dict[tuple[str, str, str], tuple[float, bool]] = {}

    def allows(self, rule: str, target: Mapping[str, Any], caller: Mapping[str, Any]) -> bool:
        """Whether ``caller`` may do ``rule`` to ``target``; both as oslo.policy takes them."""
        now = time.monotonic()
        key = rule, repr(sorted(target.items())), repr(sorted(caller.items()))
        until, decision = self._known.get(key, (0.0, False))
        if until < now:
            decision = bool(self._enforcer.enforce(rule, dict(target), dict(caller)))
            if len(self._known) >= self.MOST:
                self._known = {}
            self._known[key] = now + self.KEEP_S, decision
        return decision


class RequestContext(context.RequestContext):
    """The caller of one request, and what policy lets it do.

    :ivar token_auth: a keystoneauth plugin with the caller's token.
    """

    token_auth: Any = None
    policy: Policy

    @classmethod
    def of(cls, environ: Mapping[str, Any], policy: Policy) -> 'RequestContext':
        """The context of a request that has passed the identity middleware."""
        found = cls.from_environ(dict(environ), request_id=environ.get('openstack.request_id'))
        found.token_auth = environ.get(AUTH)
        found.policy = policy
        found.is_admin = found.may('context_is_admin')
        return found

    def may(self, rule: str, target: Mapping[str, Any] | None = None) -> bool:
        """Whether policy allows ``rule``; to a token without a project no rule of projects does,
        whatever an operator's file says.

        :param target: ``project_id`` and ``user_id`` of what it is done to; default the caller's.
        """
        if rule in OF_PROJECTS and not self.project_id:
            return False
        owner = {'project_id': self.project_id, 'user_id': self.user_id}
        target = target or owner
        caller = {
            **owner,
            'roles': self.roles,
            'is_admin': self.is_admin,
            'domain_id': self.domain_id,
            'system_scope': self.system_scope,
        }
        return self.policy.allows(rule, _known(target), _known(caller))

    def can(self, rule: str, target: Mapping[str, Any] | None = None) -> None:
        """As ``may``.

        :raises Forbidden: policy does not allow it.
        """
        if not self.may(rule, target):
            raise Forbidden(rule=rule)


class DevelopmentIdentity:
    """WSGI middleware that takes the token for the identity: ``user:project[:role,role]``.

    Sets the headers that keystonemiddleware would set, and the plugin by which the cloud is called
    with the token; refuses what is not from this machine.
    """

    def __init__(self, application: WSGIApplication, conf: cfg.ConfigOpts):
        if not is_loopback(conf.api.bind_host):
            raise ValueError(
                '[identity] mode = development needs [api] bind_host on loopback, '
                f'not {conf.api.bind_host}'
            )
        self._application = application
        self._conf = conf

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer 403 or 401, or pass on with the caller's headers."""
        # What a proxy says of the caller's address is not believed here.
        if not is_loopback(environ.get(PEER, '')):
            return _refuse(
                start_response,
                '403 Forbidden',
                'The development identity answers callers on this machine only.',
            )
        token = environ.get('HTTP_X_AUTH_TOKEN', '')
        user, _, rest = token.partition(':')
        project, _, roles = rest.partition(':')
        if not user or not project or len(token) > MOST_TOKEN:
            return _refuse(
                start_response,
                '401 Unauthorized',
                'The request you have made requires authentication.',
            )
        for name in [name for name in environ if name.startswith(_FORGEABLE)]:
            if name != 'HTTP_X_AUTH_TOKEN':
                del environ[name]
        roles = roles or ','.join(TOKEN_ROLES)
        environ |= {
            'HTTP_X_IDENTITY_STATUS': 'Confirmed',
            'HTTP_X_USER_ID': user,
            'HTTP_X_USER_NAME': user,
            'HTTP_X_PROJECT_ID': project,
            'HTTP_X_PROJECT_NAME': project,
            'HTTP_X_ROLES': roles,
            AUTH: development_plugin(self._conf, user, project, roles.split(',')),
        }
        return self._application(environ, start_response)


def development_plugin(
    conf: cfg.ConfigOpts, user_id: str, project_id: str, roles: Sequence[str]
) -> access_plugin.AccessInfoPlugin:
    """Authentication by a made-up token, with the configured catalog."""
    token = f'{user_id}:{project_id}:{",".join(roles)}'
    domain = {'id': 'default', 'name': 'Default'}
    body: dict[str, object] = {
        'token': {
            'methods': ['token'],
            'issued_at': '2020-01-01T00:00:00.000000Z',
            'expires_at': '2999-01-01T00:00:00.000000Z',
            'user': {'id': user_id, 'name': user_id, 'domain': domain},
            'project': {'id': project_id, 'name': project_id, 'domain': domain},
            'roles': [{'id': role, 'name': role} for role in roles],
            'catalog': [
                _endpoints(service_type, url % {'project_id': project_id}, conf)
                for service_type, url in _catalog(conf).items()
            ],
        }
    }
    return access_plugin.AccessInfoPlugin(
        access.create(body=body, auth_token=token), auth_url=NOWHERE
    )


def _catalog(conf: cfg.ConfigOpts) -> dict[str, str]:
    """What is configured; nodes of development are on this host, as the API is."""
    here = f'http://{netutils.escape_ipv6(conf.api.bind_host)}:{conf.api.port}'
    return {SERVICE_TYPE: here, **conf.development.catalog}


def _endpoints(service_type: str, url: str, conf: cfg.ConfigOpts) -> dict[str, Any]:
    region = conf.cloud.region_name or 'RegionOne'
    return {
        'type': service_type,
        'name': service_type,
        'id': service_type,
        'endpoints': [
            {
                'interface': interface,
                'region': region,
                'region_id': region,
                'url': url,
                'id': f'{service_type}-{interface}',
            }
            for interface in _INTERFACES
        ],
    }


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what nobody has: oslo.policy would find that None is the same as None."""
    return {name: value for name, value in values.items() if value is not None}


def _refuse(start_response: StartResponse, status: str, message: str) -> list[bytes]:
    """An error as keystonemiddleware words it."""
    code, title = status.split(' ', 1)
    body = json.dumps({'error': {'code': int(code), 'title': title, 'message': message}}).encode()
    start_response(
        status,
        [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(body))),
            ('WWW-Authenticate', 'Keystone uri="http://127.0.0.1/"'),
        ],
    )
    return [body]
