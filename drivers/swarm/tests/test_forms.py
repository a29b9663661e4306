"""A swarm that really forms: the driver on a real Heat, on servers that boot.

The image has the engine of Debian; what the nodes do is in the driver's user data alone.
"""

import dataclasses
import ssl
import time

import pytest

from magnum_lite.driver_sdk import DONE, Failed
from magnum_lite.driver_sdk.testing import example
from magnum_lite.driver_sdk.testing.cloud_rules import finish
from magnum_lite.driver_sdk.testing.steps import Steps
from magnum_lite_dev.pytest_plugin import cloud_of
from magnum_lite_swarm import names, nodes
from magnum_lite_swarm.client import Manager, SilentError

from .managers import Authority, key_pem

FORMS_WITHIN_S = 240
IMAGE = 'swarm'
# From the image, or the engine's own network would be asked for it.
SERVICE = {
    'Name': 'web',
    'TaskTemplate': {
        'ContainerSpec': {'Image': 'app:1', 'Args': ['sleep', '999'], 'StopGracePeriod': 10**9},
        'Placement': {'Constraints': ['node.role==worker']},
    },
    'Mode': {'Replicated': {'Replicas': 2}},
}
IMPORT = (
    'tar -C / -c bin/busybox | docker import -c \'ENTRYPOINT ["/bin/busybox"]\' - app:1 >/dev/null'
)


def until(check, within_s=60):
    """Ask again until it is true."""
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, f'not within {within_s} s'
        time.sleep(0.5)
    return found


@pytest.fixture
def spec(driver, make_spec):
    """One manager and two workers, with authorities of their own."""
    docker, join = Authority('docker'), Authority('join')
    secrets = docker.secrets | {
        name.replace('docker', 'join'): secret for name, secret in join.secrets.items()
    }
    key = key_pem(Authority('bootstrap').key).decode()
    made = example.secrets(driver)
    secrets['bootstrap'] = dataclasses.replace(made['bootstrap'], value=key)
    spec = make_spec(secrets={**made, **secrets}, name='forms')
    groups = tuple(dataclasses.replace(group, image=IMAGE) for group in spec.node_groups)
    return example.with_nodes(dataclasses.replace(spec, node_groups=groups), 2)


def manager_of(driver, cloud, spec):
    """(its API, its URL)."""
    url = driver.get_status(cloud, spec).api_address
    return Manager(spec, url, timeout_s=120), url


def change(driver, cloud, spec, **changes):
    """Update as the conductor does."""
    steps = Steps(driver.update, dataclasses.replace(spec, attempt=str(time.time()), **changes))
    assert finish(lambda: steps.take(cloud), within_s=FORMS_WITHIN_S) == DONE
    return [told.phase for told in steps.entered]


def ready(manager):
    return sorted(node.hostname for node in nodes.listed(manager) if node.is_ready)


def running(manager):
    tasks = [task for task in manager.ask('GET', '/tasks') if task['Status']['State'] == 'running']
    return sorted(task['NodeID'] for task in tasks)


@pytest.mark.nodes
@pytest.mark.needs('jq', 'openssl')
def test_a_swarm_forms_shrinks_in_order_and_tells_of_a_loss(driver, spec, running_cloud):
    with running_cloud(nodes='real', image=IMAGE) as heat:
        cloud = cloud_of(heat)
        created = finish(lambda: driver.create(cloud, spec), within_s=FORMS_WITHIN_S)
        assert created == DONE, created
        manager, url = manager_of(driver, cloud, spec)
        until(lambda: len(ready(manager)) == 3)
        look = driver.get_monitor(cloud, dataclasses.replace(spec, api_address=url)).look
        assert look(timeout_s=10).status == 'HEALTHY'
        _refuses_others(manager, spec, url)
        _drains_what_goes(driver, cloud, spec, heat, manager)
        heat.fault(kind='power_loss', match='*worker*')
        until(lambda: look(timeout_s=10).status == 'UNHEALTHY', 60)
        reason = look(timeout_s=10).reason
        assert reason['nodes'] == '1 of 2 ready' and 'False' in reason.values()
        assert finish(lambda: driver.delete(cloud, spec)) == DONE


def _refuses_others(manager, spec, url):
    """Without a certificate of the cluster's authority nobody is heard."""
    other = Authority('docker').secrets
    trusted = {'ca.docker.trusted': spec.secrets['ca.docker.trusted']}
    stranger = Manager(dataclasses.replace(spec, secrets=other | trusted), url, timeout_s=20)
    with pytest.raises((SilentError, ssl.SSLError)):
        stranger.ask('GET', '/info')


def _drains_what_goes(driver, cloud, spec, heat, manager):
    """The named worker leaves, after its task runs on the other one."""
    refs = cloud.heat.get(names.worker_stack(spec, spec.worker_groups[0])).outputs['refs_map']
    rows = heat.state()['servers']
    for server in refs.values():
        heat.node(rows[server]['name']).shell(IMPORT)
    manager.ask('POST', '/services/create', SERVICE)
    until(lambda: len(set(running(manager))) == 2)
    indexes = driver.get_scale_manager(cloud, spec).indexes(example.WORKERS, [refs['0']])
    phases = change(driver, cloud, example.with_nodes(spec, 1, removed=indexes))
    assert phases[0] == 'drain'
    left = [node for node in nodes.listed(manager) if not node.is_manager]
    assert [node.server for node in left] == [refs['1']]
    until(lambda: running(manager) == [left[0].id] * 2)


@pytest.mark.nodes
@pytest.mark.needs('jq', 'openssl')
def test_an_engine_that_does_not_start_is_told_by_its_own_words(driver, spec, running_cloud):
    config = {**spec.config, 'log_driver': 'syslog', 'log_options': 'no-such=1'}
    spec = dataclasses.replace(example.with_nodes(spec, 0), config=config)
    with running_cloud(nodes='real', image=IMAGE) as heat:
        cloud = cloud_of(heat)
        progress = finish(lambda: driver.create(cloud, spec), within_s=FORMS_WITHIN_S)
        assert isinstance(progress, Failed)
        assert 'stage engine, line' in progress.text
        assert "unknown log opt 'no-such' for syslog log driver" in progress.text
        assert finish(lambda: driver.delete(cloud, spec)) == DONE
