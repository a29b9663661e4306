"""Clusters whose nodes really enrol."""

import contextlib

from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_dev.server import Server
from magnum_lite_dev.state import free_port
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

WITHIN_S = PATIENCE_S


@contextlib.contextmanager
def reached(folder, heat):
    """The service, with a worker and the Kubernetes driver, at the URL that nodes know."""
    port = free_port()
    conf = fixtures.make_conf(folder, catalog=heat.catalog, api={'port': port})
    with fixtures.working(conf, Kubernetes()) as running:
        server = Server(running.application, port, name='api')
        running.url = f'http://127.0.0.1:{port}'
        yield running
        server.close()
    fixtures.forget_conf()


def make(api, project, **template):
    """Uuid of a new cluster in a project, once it is complete."""
    token = f'alice:{project}'
    cluster = api.cluster(api.template(token=token, **template), token=token)
    api.wait(f'/v1/clusters/{cluster}', status='CREATE_COMPLETE', within_s=WITHIN_S, token=token)
    return cluster
