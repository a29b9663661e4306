"""In whose name the cloud is called for operations.

An operation outlives its request's token, so a cluster has an *identity*: a document without
secrets that says whose rights its cloud calls use. Modes: ``none`` (development), ``trust`` (a
Keystone trust by the cluster's owner, see ``delegation``), ``service`` (the service user's own role
in the project) and ``own``, which no cluster has: the service user as it is configured.
"""

from collections.abc import Mapping
from typing import Any

from keystoneauth1 import loading
from keystoneauth1 import session as ksa
from keystoneauth1.plugin import BaseAuthPlugin
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.cloud import transport
from magnum_lite.context import development_plugin

# The service user's scope is replaced as a whole: Keystone accepts one.
_NO_SCOPE = {
    'project_id': None,
    'project_name': None,
    'project_domain_id': None,
    'project_domain_name': None,
}
_NOBODY = {'mode': 'none', 'user_id': 'magnum', 'project_id': 'service', 'roles': ()}


def has_keystone(conf: cfg.ConfigOpts) -> bool:
    """Whether a Keystone vouches for callers, who can delegate their rights then."""
    return bool(conf.identity.mode == 'keystone')


def session(conf: cfg.ConfigOpts, identity: Mapping[str, Any], *, timeout_s: float) -> ksa.Session:
    """A session with the rights of an identity.

    :param timeout_s: seconds that any one call may take, until the last byte of its answer.
    """
    auth: BaseAuthPlugin | None
    if identity['mode'] == 'none':
        auth = development_plugin(
            conf, identity['user_id'], identity['project_id'], identity['roles']
        )
    else:
        auth = loading.load_auth_from_conf_options(conf, options.SERVICE_AUTH, **_scope(identity))
    return transport.session(conf, auth, timeout_s=timeout_s)


def _scope(identity: Mapping[str, Any]) -> dict[str, Any]:
    if identity['mode'] == 'trust':
        return {**_NO_SCOPE, 'trust_id': identity['trust_id']}
    if identity['mode'] == 'service':
        return {**_NO_SCOPE, 'project_id': identity['project_id']}
    return {}


def service_session(conf: cfg.ConfigOpts, *, timeout_s: float) -> ksa.Session:
    """A session with the service user's own rights, in development a made-up one's.

    :param timeout_s: as in ``session``.
    """
    if not has_keystone(conf):
        return session(conf, _NOBODY, timeout_s=timeout_s)
    auth = loading.load_auth_from_conf_options(conf, options.SERVICE_AUTH)
    return transport.session(conf, auth, timeout_s=timeout_s)
