"""In whose name the cloud is called: sessions for callers and for operations.

An operation outlives its request's token, so a cluster has an *identity*: a document without
secrets that says whose rights its cloud calls use. Modes: ``none`` (development), ``trust`` (a
Keystone trust by the cluster's owner, see ``trusts.py``), ``service`` (the service user's own role
in the project) and ``own``, which no cluster has: the service user as it is configured.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from keystoneauth1 import access, loading
from keystoneauth1 import session as ksa
from keystoneauth1.identity import access as access_plugin
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.cloud import transport
from magnum_lite.context import RequestContext

NOWHERE = 'http://127.0.0.1:1/v3'  # the development identity never calls a Keystone
# The service user's scope is replaced as a whole: Keystone accepts one.
_NO_SCOPE = {
    'project_id': None,
    'project_name': None,
    'project_domain_id': None,
    'project_domain_name': None,
}
_INTERFACES = ('public', 'internal', 'admin')


def has_keystone(conf: cfg.ConfigOpts) -> bool:
    """Whether a Keystone vouches for callers, who can lend their rights then."""
    return bool(conf.identity.mode == 'keystone')


def development(context: RequestContext, project_id: str) -> dict[str, Any]:
    """The identity of a cluster where nobody lends rights."""
    return {
        'mode': 'none',
        'user_id': context.user_id,
        'project_id': project_id,
        'roles': sorted(context.roles),
    }


def service(project_id: str) -> dict[str, Any]:
    """The identity of a cluster that the service user may change by a role of its own."""
    return {'mode': 'service', 'project_id': project_id}


def session(conf: cfg.ConfigOpts, identity: Mapping[str, Any], *, timeout_s: float) -> ksa.Session:
    """A session with the rights of an identity.

    :param timeout_s: seconds that any one call may take, until the last byte of its answer.
    """
    if identity['mode'] == 'none':
        auth = development_plugin(
            conf, identity['user_id'], identity['project_id'], identity['roles']
        )
    else:
        auth = loading.load_auth_from_conf_options(conf, options.SERVICE_AUTH, **_scope(identity))
    return _session(conf, auth, timeout_s)


def _scope(identity: Mapping[str, Any]) -> dict[str, Any]:
    if identity['mode'] == 'trust':
        return {**_NO_SCOPE, 'trust_id': identity['trust_id']}
    if identity['mode'] == 'service':
        return {**_NO_SCOPE, 'project_id': identity['project_id']}
    return {}


def caller_session(conf: cfg.ConfigOpts, auth: Any, *, timeout_s: float) -> ksa.Session:
    """A session with the rights of a request's own token.

    :param auth: a keystoneauth plugin: that of keystonemiddleware, or ``development_plugin``.
    """
    return _session(conf, auth, timeout_s)


def service_session(conf: cfg.ConfigOpts, *, timeout_s: float) -> ksa.Session:
    """A session with the service user's own rights.

    :param timeout_s: as in ``session``.
    """
    auth = loading.load_auth_from_conf_options(conf, options.SERVICE_AUTH)
    return _session(conf, auth, timeout_s)


def development_plugin(
    conf: cfg.ConfigOpts, user_id: str, project_id: str, roles: Sequence[str]
) -> access_plugin.AccessInfoPlugin:
    """Authentication by a made-up token, with the configured catalog."""
    token = f'{user_id}:{project_id}:{",".join(roles)}'
    domain = {'id': 'default', 'name': 'Default'}
    body = {
        'token': {
            'methods': ['token'],
            'issued_at': '2020-01-01T00:00:00.000000Z',
            'expires_at': '2999-01-01T00:00:00.000000Z',
            'user': {'id': user_id, 'name': user_id, 'domain': domain},
            'project': {'id': project_id, 'name': project_id, 'domain': domain},
            'roles': [{'id': role, 'name': role} for role in roles],
            'catalog': [
                _endpoints(service_type, url % {'project_id': project_id}, conf)
                for service_type, url in conf.development.catalog.items()
            ],
        }
    }
    return access_plugin.AccessInfoPlugin(
        access.create(body=body, auth_token=token), auth_url=NOWHERE
    )


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


def _session(conf: cfg.ConfigOpts, auth: Any, timeout_s: float) -> ksa.Session:
    group = conf[options.SERVICE_AUTH]
    verify = False if group.insecure else (group.cafile or True)
    return ksa.Session(auth=auth, timeout=timeout_s, verify=verify, session=transport.session())
