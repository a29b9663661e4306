"""Projects in Keystone, looked up with the service's own rights."""

import logging
from urllib.parse import quote

import openstack
from keystoneauth1 import exceptions as ksa_exc
from openstack import exceptions as sdk_exc
from oslo_config import cfg

from magnum_lite.cloud import identity

LOG = logging.getLogger(__name__)


def exists(conf: cfg.ConfigOpts, project_id: str) -> bool:
    """Whether there is a project; with the development identity, any.

    A Keystone that does not answer, or does not tell the service, vouches for every project.
    """
    if conf.identity.mode == 'development':
        return True
    session = identity.service_session(conf, timeout_s=conf.cloud.lookup_timeout_s)
    cloud = openstack.connection.Connection(
        session=session, region_name=conf.cloud.region_name, interface=conf.cloud.interface)
    try:
        # The SDK puts any text into the path of a URL.
        cloud.identity.get_project(quote(project_id, safe=''))
    except sdk_exc.NotFoundException:
        return False
    except (sdk_exc.SDKException, ksa_exc.ClientException) as error:
        LOG.warning('Keystone does not tell whether project %s exists: %s', project_id, error)
    finally:
        session.session.close()
    return True
