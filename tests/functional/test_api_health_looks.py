"""A conductor looks at the Kubernetes API of a cluster that it made: the real driver, a real Heat,
and control planes whose APIs answer on loopback.
"""

import time
import uuid

import pytest
import requests

from magnum_lite_dev.fixture import running_heat
from magnum_lite_dev.rig import PATIENCE_S
from magnum_lite_kubernetes.driver import Kubernetes
from tests import fixtures

WITHIN_S = PATIENCE_S


@pytest.fixture(scope='module')
def heat(tmp_path_factory):
    """A Heat process, and a cloud whose floating addresses are of loopback."""
    with running_heat(tmp_path_factory.mktemp('heat'), loopback=True) as running:
        yield running


@pytest.fixture
def api(tmp_path, heat):
    """The service with a worker that looks often."""
    conf = fixtures.make_conf(
        tmp_path,
        catalog=heat.catalog,
        enrolment={'enabled': False},
        health={'interval_s': 1, 'timeout_s': 0.3, 'denied_networks': ''},
    )
    with fixtures.working(conf, Kubernetes()) as running:
        yield running
    fixtures.forget_conf()


def _until(look, condition):
    deadline = time.monotonic() + WITHIN_S
    while not condition(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def test_a_cluster_is_healthy_while_its_api_answers(api, heat):
    project = uuid.uuid4().hex
    token = f'alice:{project}'
    cluster = api.cluster(api.template(token=token), token=token)

    def shown():
        return api.ok('GET', f'/v1/clusters/{cluster}', token=token)

    assert shown()['health_status'] is None
    api.wait(f'/v1/clusters/{cluster}', status='CREATE_COMPLETE', within_s=WITHIN_S, token=token)
    found = _until(shown, lambda now: now['health_status'])
    assert (found['health_status'], found['health_status_reason']) == ('HEALTHY', {'api': 'ok'})
    (master,) = (row['id'] for row in heat.state()['servers'].values() if 'master' in row['name'])
    compute = heat.catalog['compute'] % {'project_id': project}
    for action, status in (('os-stop', 'UNKNOWN'), ('os-start', 'HEALTHY')):
        requests.post(
            f'{compute}/servers/{master}/action',
            json={action: None},
            headers={'X-Auth-Token': f'alice:{project}:member'},
            timeout=10,
        )
        found = _until(shown, lambda now, wanted=status: now['health_status'] == wanted)
        assert found['health_status_reason']['api']
    assert found['version'] == 1
    requests.delete(
        f'{compute}/servers/{master}',
        timeout=10,
        headers={'X-Auth-Token': f'alice:{project}:member'},
    )
    found = _until(shown, lambda now: now['health_status'] == 'UNHEALTHY')
    assert 'refuses connections' in found['health_status_reason']['api']
    api.ok('DELETE', f'/v1/clusters/{cluster}', token=token)
    api.gone(f'/v1/clusters/{cluster}', within_s=WITHIN_S, token=token)
