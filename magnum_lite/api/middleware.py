"""What a request passes before it reaches an endpoint, from the outside in.

CORS answers browsers, even for what is refused further in. The headers of a proxy come before all
that makes links or looks at addresses, and the request id before identity, so that a 401 has one
too. Audit needs to know who asks. Bodies are limited innermost, in ``app``, since nobody before
reads them; what is left of one is read outermost, whoever refused the request.
"""

from collections.abc import Callable
from typing import Any

from keystonemiddleware import audit, auth_token
from oslo_config import cfg
from oslo_middleware import cors, http_proxy_to_wsgi, request_id

from magnum_lite.api.draining import Drain
from magnum_lite.context import DevelopmentIdentity

Wsgi = Callable[..., Any]


def outer(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What every request passes, also one for the health check."""
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        application = http_proxy_to_wsgi.HTTPProxyToWSGI(application, conf)
    if conf.cors.allowed_origin:
        application = cors.CORS(application, conf)
    return Drain(application)


def public(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What a request that needs no token passes."""
    return request_id.RequestId(application, conf)


def protected(application: Wsgi, conf: cfg.ConfigOpts) -> Wsgi:
    """What all other requests pass.

    :raises ValueError: the development identity is to listen on more than loopback.
    """
    if conf.audit.enabled:
        application = audit.AuditMiddleware(
            application, oslo_config_config=conf, audit_map_file=conf.audit.map_file,
            ignore_req_list=','.join(conf.audit.ignore_methods), service_name='magnum')
    if conf.identity.mode == 'development':
        application = DevelopmentIdentity(application, conf)
    else:
        application = auth_token.AuthProtocol(application, {'oslo_config_config': conf})
    return public(application, conf)
