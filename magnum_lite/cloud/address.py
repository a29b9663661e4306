"""The address of this API as nodes reach it: what operators say, or else what the catalog says."""

from keystoneauth1 import exceptions as ksa_exc
from keystoneauth1.session import Session
from oslo_config import cfg

from magnum_lite.cloud import answers
from magnum_lite.context import SERVICE_TYPE
from magnum_lite.exceptions import NoAddress

_UNREAD = 'https://in.the.catalog'


def of_api(conf: cfg.ConfigOpts, session: Session | None) -> str:
    """URL without /v1: ``[enrolment] public_url``, ``[api] public_endpoint``, or the public
    endpoint in the catalog of a session.

    :param session: None where nobody's rights are there to read a catalog, which is believed to say
        it then.
    :raises NoAddress: none of them says it.
    :raises CloudError: Keystone, which has the catalog, refused or does not answer.
    """
    url = (
        conf.enrolment.public_url
        or conf.api.public_endpoint
        or (_UNREAD if session is None else _in_catalog(conf, session))
    )
    if not url:
        raise NoAddress
    return str(url).rstrip('/').removesuffix('/v1')


def _in_catalog(conf: cfg.ConfigOpts, session: Session) -> str | None:
    with answers.understood('Keystone'):
        try:
            found: str | None = session.get_endpoint(
                service_type=SERVICE_TYPE,
                interface='public',
                skip_discovery=True,
                region_name=conf.cloud.region_name,
            )
        except ksa_exc.EndpointNotFound:
            return None
    return found
