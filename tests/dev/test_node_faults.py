"""What goes wrong only with servers that boot."""

import time

import pytest

from magnum_lite_dev.nodes.command import Broken
from magnum_lite_dev.server import Server
from magnum_lite_dev.sim_cloud import SimCloud
from tests.dev.tenant import Tenant, wait_for

SLOW_S = 4


@pytest.mark.nodes
def test_power_cable_disk_and_a_slow_boot(running_cloud):
    with running_cloud(nodes='real', image='swarm') as cloud:
        tenant = Tenant(cloud)
        network, _ = tenant.network('10.0.0.0/24', routed=False)
        port = tenant.make('port', network_id=network['id'])
        with pytest.raises(ValueError, match='no server that boots is called'):
            cloud.fault(kind='power_loss', match='worker')
        cloud.fault(kind='slow_boot', match='work*', times=1, seconds=SLOW_S)
        server = tenant.server('worker', [port])
        tenant.wait(server, 'ACTIVE')
        node, began = cloud.node('worker'), time.monotonic()
        node.run('true')
        assert time.monotonic() - began > SLOW_S - 1
        wait_for(lambda: node.shell('systemctl is-active cloud-final', check=False) == 'active', 90)
        _pull_the_cable(cloud, node)
        _fill_the_disk(cloud, node)
        _lose_power(cloud, tenant, server, node)


def _pull_the_cable(cloud, node):
    ask = ('curl', '-sfm2', 'http://169.254.169.254/latest/meta-data/hostname')
    assert node.run(*ask).stdout == 'worker.novalocal'
    cloud.fault(kind='cable_pulled', match='worker')
    assert 'NO-CARRIER' in node.shell('ip -o link show eth0')
    assert node.run(*ask, check=False).returncode
    cloud.clear_faults()
    wait_for(lambda: node.run(*ask, check=False).returncode == 0, 20)


def _fill_the_disk(cloud, node):
    cloud.fault(kind='disk_full', match='worker')
    for path in ('/var/tmp', '/var/lib/docker'):
        full = node.run('dd', 'if=/dev/zero', f'of={path}/more', 'bs=64k', 'count=1', check=False)
        assert 'No space left' in full.stderr
    cloud.clear_faults()
    node.shell('dd if=/dev/zero of=/var/tmp/more bs=64k count=1')


def _lose_power(cloud, tenant, server, node):
    node.shell('echo kept > /etc/kept')
    cloud.fault(kind='power_loss', match='worker')
    with pytest.raises(Broken, match='does not run'):
        node.run('true')
    assert node.read('/etc/kept') == 'kept\n'
    # As when a host is lost: Nova has heard nothing.
    assert tenant.show(server)['status'] == 'ACTIVE'
    assert tenant.act(server, reboot={'type': 'HARD'})[0] == 202
    tenant.wait(server, 'ACTIVE')
    assert node.shell('cat /etc/kept') == 'kept'


def test_without_servers_that_boot_their_faults_are_refused():
    cloud = SimCloud()
    server = Server(cloud, 0, name='cloud')
    try:
        tenant = Tenant(type('Heat', (), {'cloud_url': server.url}))
        status, told = tenant.call('POST', 'sim/faults', kind='power_loss')
        assert status == 400 and 'no server of this cloud boots' in str(told)
        status, told = tenant.call('POST', 'sim/faults', kind='power_loss', volume=1)
        assert status == 400 and 'has no field volume' in str(told)
    finally:
        server.close()
