"""What a request passes before it reaches an endpoint, from the outside in.

CORS answers browsers, even for what is refused further in. The headers of a proxy come before all
that makes links or looks at addresses, and the request id before identity, so that a 401 has one
too. Audit needs to know who asks. Bodies are limited innermost, in ``app``, since nobody before
reads them; what is left of one is read outermost, whoever refused the request.
"""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from keystonemiddleware import audit, auth_token
from oslo_config import cfg
from oslo_context import context
from oslo_middleware import cors, http_proxy_to_wsgi, request_id

from magnum_lite.api.draining import Drain
from magnum_lite.context import DevelopmentIdentity

LOG = logging.getLogger(__name__)
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
    return request_id.RequestId(RequestLog(application), conf)


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


class RequestLog:
    """Logs each request, and gives all that is logged for it its request id, before anybody knows
    who asks. Queries are left out."""

    def __init__(self, application: Wsgi):
        self._application = application

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass on, and log what was answered."""
        began, found = time.monotonic(), ['none']

        def start(status: str, *args: Any) -> Any:
            found[0] = status.partition(' ')[0]
            return start_response(status, *args)

        # A thread answers many requests: what it kept of the one before goes.
        context.RequestContext(request_id=environ.get('openstack.request_id'),
                               global_request_id=environ.get('openstack.global_request_id'))
        try:
            return self._application(environ, start)
        finally:
            LOG.info('%s "%s %s" status: %s time: %.3f', environ.get('REMOTE_ADDR', ''),
                     environ['REQUEST_METHOD'],
                     quote(environ.get('SCRIPT_NAME', '') + environ['PATH_INFO']), found[0],
                     time.monotonic() - began)
