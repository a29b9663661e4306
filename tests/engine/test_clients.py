"""Clients of the cloud: one that is slow to make keeps no other waiting."""

import socket
import threading

import pytest
from keystoneauth1 import loading
from oslo_config import cfg

from magnum_lite.conductor.clients import Clients
from magnum_lite.conductor.heat.backend import HeatBackend
from magnum_lite.driver_sdk import CloudError
from tests.fixtures import forget_conf, make_conf


@pytest.fixture
def keystone():
    """A Keystone that accepts connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(30)
        yield server


@pytest.fixture
def conf(tmp_path, keystone):
    """A service with that Keystone."""
    url = f'http://127.0.0.1:{keystone.getsockname()[1]}/v3'
    yield make_conf(
        tmp_path,
        identity={'mode': 'keystone'},
        cloud={'heat_timeout_s': 60},
        service_auth={
            'auth_type': 'password',
            'auth_url': url,
            'username': 'magnum',
            'password': 'secret',
            'project_name': 'service',
            'user_domain_id': 'default',
            'project_domain_id': 'default',
        },
    )
    forget_conf()
    # Left on the global configuration, where other tests do not set them.
    cfg.CONF.unregister_opts(loading.get_auth_plugin_conf_options('password'), 'service_auth')


def test_a_keystone_that_hangs_for_one_identity_keeps_no_other_waiting(conf, keystone):
    heats = HeatBackend(conf, Clients(conf))
    ended = []

    def ask():
        with pytest.raises(CloudError):
            heats.heat({'mode': 'own', 'project_id': 'p'})
        ended.append(True)

    asking = threading.Thread(target=ask)
    asking.start()
    connections = [keystone.accept()[0]]  # it waits for Keystone's answer now
    assert heats.heat({'mode': 'trust', 'project_id': 'p', 'trust_id': 't'})
    assert not ended, 'the second client waited for the first'
    keystone.close()
    for connection in connections:
        connection.close()
    asking.join(60)
    assert ended
