"""What a real Heat tells of a failure that none of its resources explains any more."""

import json
import time

import pytest
from oslo_config import cfg

from magnum_lite import conf as options
from magnum_lite.cloud import identity
from magnum_lite.cloud.heat import Heat
from magnum_lite.driver_sdk import Cause
from magnum_lite.driver_sdk.cause import explain
from magnum_lite_dev.fixture import running_heat
from magnum_lite_dev.rig import PATIENCE_S
from tests.engine.conftest import write_config
from tests.engine.tenant import WHO

NODES = {
    'heat_template_version': '2021-04-16',
    'parameters': {'image': {'type': 'string'}},
    'resources': {
        'network': {'type': 'OS::Neutron::Net'},
        'subnet': {
            'type': 'OS::Neutron::Subnet',
            'properties': {'network': {'get_resource': 'network'}, 'cidr': '10.9.0.0/24'},
        },
        'nodes': {
            'type': 'OS::Heat::ResourceGroup',
            'depends_on': 'subnet',
            'properties': {
                'count': 1,
                'resource_def': {
                    'type': 'OS::Nova::Server',
                    'properties': {
                        'image': {'get_param': 'image'},
                        'image_update_policy': 'REPLACE',
                        'flavor': 'm1.small',
                        'networks': [{'network': {'get_resource': 'network'}}],
                    },
                },
            },
        },
    },
}


@pytest.fixture
def cloud(tmp_path):
    """A Heat that makes a server again that went to ERROR, as Heat does by default."""
    with running_heat(tmp_path / 'heat', retries=1) as cloud:
        yield cloud


@pytest.fixture
def heat(tmp_path, cloud):
    """The service's view of it."""
    file = write_config(tmp_path, cloud)
    cfg.CONF.reset()
    options.register(cfg.CONF)
    cfg.CONF([], project='magnum-lite', default_config_files=[str(file)])
    who = {**WHO, 'project_id': 'red'}
    yield Heat(cfg.CONF, identity.session(cfg.CONF, who, timeout_s=20))
    cfg.CONF.reset()


def until(seen, *, within_s=PATIENCE_S):
    """Wait until a function gives something, and give that."""
    deadline = time.monotonic() + within_s
    while not (found := seen()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def test_a_server_that_was_made_again_still_tells_why_it_failed(cloud, heat):
    def ended():
        view = heat.get(stack)
        return view if view and not view.in_progress else None

    def arguments(image):
        return {
            'template': json.dumps(NODES),
            'files': {},
            'environment': {},
            'parameters': {'image': image},
            'timeout_min': 5,
        }

    cloud.fault(kind='no_valid_host', match='*', times=1)  # of the creation: no cause of ours
    stack = heat.create('s', arguments('debian-13'), ['magnum_lite'])
    assert until(ended).complete
    cloud.fault(kind='boot_error', message='the rack is dark', times=1)
    cloud.fault(kind='slow', seconds=600)
    cloud.counts(reset=True)
    heat.update(stack, arguments('ubuntu-24.04'), ['magnum_lite'])
    until(lambda: cloud.counts().get('POST /compute/v2.1/servers') == 2)
    heat._client.actions.cancel_without_rollback(stack)
    view = until(ended)
    causes = heat.failures(stack)
    first, *others = causes
    assert view.failed and 'cancelled' in view.reason
    assert (first.resource, first.type, first.status) == (
        'nodes/0',
        'OS::Nova::Server',
        'CREATE_FAILED',
    )
    assert 'the rack is dark' in first.reason and first.at and first.server_id
    assert first.server_id not in cloud.state()['servers']  # the logs of Nova know it
    assert not any('No valid host' in cause.reason for cause in causes)
    # Whether Heat still notes that of the group depends on how far the cancelled update was.
    told = {(cause.resource, cause.type) for cause in others}
    assert told <= {('nodes', 'OS::Heat::ResourceGroup')}
    assert 'the rack is dark' in explain(f'stack {view.name} is {view.status}', causes, '')
    assert all(isinstance(cause, Cause) for cause in causes)
