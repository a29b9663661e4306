"""The life of a server that boots: stop, start, reboot, switched off from inside, deleted."""

import subprocess

import pytest

from magnum_lite_dev.nodes.command import Broken
from tests.dev.tenant import Tenant, wait_for

pytestmark = pytest.mark.nodes

USER_DATA = '#!/bin/bash\necho once >> /var/tmp/ran\n'


def is_up(node):
    """Whether a node has booted to the end."""
    try:
        return node.shell('systemctl is-active cloud-final', check=False) == 'active'
    except Broken:
        return False


def test_novas_verbs_do_what_they_say(running_cloud):
    with running_cloud(nodes='real', image='swarm') as cloud:
        tenant = Tenant(cloud)
        network, _ = tenant.network('10.0.0.0/24', routed=False)
        port = tenant.make('port', network_id=network['id'])
        server = tenant.server('only', [port], USER_DATA)
        tenant.wait(server, 'ACTIVE')
        node = cloud.node('only')
        wait_for(lambda: is_up(node), 90)
        _read_the_console(tenant, server)

        assert tenant.act(server, **{'os-start': None})[0] == 409
        assert tenant.act(server, **{'os-stop': None})[0] == 202
        tenant.wait(server, 'SHUTOFF')
        with pytest.raises(Broken, match='does not run'):
            node.run('true')
        assert tenant.act(server, **{'os-stop': None})[0] == 409
        assert tenant.act(server, **{'os-start': None})[0] == 202
        tenant.wait(server, 'ACTIVE')
        wait_for(lambda: is_up(node))
        # A second boot of the same server does not run its user data again.
        assert node.read('/var/tmp/ran') == 'once\n'

        for kind in ('SOFT', 'HARD'):
            before = node.shell('cat /proc/1/stat')
            assert tenant.act(server, reboot={'type': kind})[0] == 202
            tenant.wait(server, 'ACTIVE')
            assert node.shell('cat /proc/1/stat') != before
            assert tenant.show(server)['OS-EXT-STS:task_state'] is None
        wait_for(lambda: is_up(node))
        assert port['mac_address'] in node.shell('ip -o link show eth0')

        before = node.shell('cat /proc/1/stat')
        node.run('systemctl', 'reboot', check=False)
        wait_for(lambda: is_up(node) and node.shell('cat /proc/1/stat') != before)
        assert tenant.show(server)['status'] == 'ACTIVE'
        assert node.read('/var/tmp/ran') == 'once\n'

        node.run('systemctl', 'poweroff', check=False)
        tenant.wait(server, 'SHUTOFF')

        tenant.ask('DELETE', f'compute/v2.1/servers/{server}')
        tenant.wait(server, None)
        assert not node.directory.exists()
        told = subprocess.run(['ip', 'netns'], capture_output=True, text=True, check=True).stdout
        assert server[:13] not in told


def _read_the_console(tenant, server):
    shown = tenant.act(server, **{'os-getConsoleOutput': {}})[1]['output']
    assert 'cloud-init' in shown and 'Welcome to' in shown
    few = tenant.act(server, **{'os-getConsoleOutput': {'length': 3}})[1]['output']
    assert len(few.splitlines()) == 3
