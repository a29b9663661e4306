"""Docker Swarm, formed by the driver's user data on nodes that boot."""

import subprocess

import pytest

from tests.clusters.remote import RELEASES, Terminal

# No registry: what is in it is the node's own /usr.
IMAGE = 'tar -C / -c bin lib lib64 sbin | docker import - app:1'
SERVICE = (
    'service',
    'create',
    '--detach',
    '--no-resolve-image',
    '--constraint',
    'node.role==worker',
    '--mount',
    'type=bind,source=/usr,target=/usr,readonly',
)
REACHED = (
    '--network',
    'inner',
    '--endpoint-mode',
    'dnsrr',
    '--publish',
    'mode=host,published=8080,target=80',
)
WEB = (
    'socat',
    'TCP-LISTEN:80,fork,reuseaddr',
    'SYSTEM:\'read line; printf "HTTP/1.0 200 OK\\r\\n\\r\\nanswered"\'',
)
# How often user data came to its end.
BOOTS = "grep -c 'stage ready at' /var/log/cloud-init-output.log"

pytestmark = [pytest.mark.nodes, pytest.mark.needs('docker')]


def test_one_manager_and_two_workers_form(swarm):
    swarm.wait_for_nodes(3)  # a group is complete with its first node
    assert sorted(swarm.ready().values()) == ['manager', 'worker', 'worker']
    assert swarm.cluster['status'] == 'CREATE_COMPLETE'
    assert swarm.cluster['coe_version']


def test_nobody_gets_in_without_a_certificate(swarm):
    host = swarm.cluster['api_address'].replace('tcp://', 'https://')
    asked = subprocess.run(
        ['curl', '-sSk', '-m', '10', f'{host}/info'], capture_output=True, text=True, check=False
    )
    assert asked.returncode and 'certificate' in asked.stderr, asked


@pytest.mark.clients
@pytest.mark.parametrize('release', RELEASES)
def test_what_the_command_line_prints_is_all_that_docker_needs(api, swarm, release, tmp_path):
    port = api.application.service.conf.api.port
    terminal = Terminal(release, f'http://127.0.0.1:{port}', 'alice:red')
    assert terminal.nodes(swarm.cluster['name'], tmp_path) == swarm.ready().keys()


def test_a_service_answers_on_every_worker_and_its_name_is_known(cloud, swarm):
    workers = [node for node, role in swarm.ready().items() if role == 'worker']
    for node in swarm.ready():
        cloud.node(node).shell(IMAGE)
    swarm.run('network', 'create', '--driver', 'overlay', '--attachable', 'inner')
    swarm.run(*SERVICE, *REACHED, '--name', 'web', '--mode', 'global', 'app:1', *WEB)
    swarm.wait_for_service('web', 2)
    for node in workers:
        told = cloud.node(node).shell('curl -sS -m 5 http://127.0.0.1:8080/')
        assert told == 'answered'
    # Across hosts: each of the addresses behind the name.
    inside = ('run', '--rm', '--network', 'inner', '-v', '/usr:/usr:ro', 'app:1')
    addresses = swarm.run(*inside, 'getent', 'ahosts', 'web').stdout
    found = {line.split()[0] for line in addresses.splitlines()}
    assert len(found) == 2, addresses
    for address in found:
        assert (
            swarm.run(*inside, 'curl', '-sS', '-m', '5', f'http://{address}/').stdout == 'answered'
        )


def test_a_second_group_comes_and_goes(api, swarm):
    taint = {'key': 'for', 'value': 'batch', 'effect': 'NoSchedule'}
    group = {'name': 'blue', 'node_count': 1, 'node_taints': [taint]}
    uuid = api.ok('POST', f'{swarm.path}/nodegroups', group)['uuid']
    api.wait(f'{swarm.path}/nodegroups/{uuid}', status='CREATE_COMPLETE')
    swarm.wait_for_nodes(4)
    (name,) = (node['Hostname'] for node in swarm.ask('node', 'ls') if '-blue-' in node['Hostname'])
    told = swarm.inspect(name)
    assert told['Spec']['Availability'] == 'pause'
    assert told['Description']['Engine']['Labels']['magnum-lite.group'] == 'blue'
    api.ok('DELETE', f'{swarm.path}/nodegroups/{uuid}')
    api.gone(f'{swarm.path}/nodegroups/{uuid}')
    swarm.wait_for_nodes(3)


def test_a_manager_that_reboots_comes_back_and_runs_its_user_data_once(cloud, swarm):
    (name,) = (node for node, role in swarm.ready().items() if role == 'manager')
    manager = cloud.node(name)
    assert manager.shell(BOOTS) == '1'
    manager.run('systemctl', 'reboot')
    swarm.wait_for_nodes(0, 60)
    swarm.wait_for_nodes(3)
    assert manager.shell(BOOTS) == '1'


def test_it_grows_and_shrinks_and_services_move_first(api, cloud, swarm):
    swarm.run(*SERVICE, '--name', 'moved', '--replicas', '2', 'app:1', 'sleep', '9999')
    swarm.wait_for_service('moved', 2)
    swarm.resize(4)
    swarm.wait_for_nodes(5)
    gone = swarm.wait_for_service('moved', 2)[0]['Node']
    (server,) = (row['id'] for row in swarm.rows(cloud, 'servers') if row['name'] == gone)
    swarm.resize(3, server)
    assert gone not in [node['Hostname'] for node in swarm.ask('node', 'ls')]
    assert gone not in [row['name'] for row in swarm.rows(cloud, 'servers')]
    swarm.resize(2)
    swarm.wait_for_nodes(3)
    assert len(swarm.ask('node', 'ls')) == 3


def test_a_boot_that_fails_says_where_and_why(api, template):
    labels = {'log_driver': 'syslog', 'log_options': 'no-such=1'}
    cluster = api.cluster(template, name='wrong', labels=labels, node_count=0)
    reason = api.wait(f'/v1/clusters/{cluster}', status='CREATE_FAILED')['status_reason']
    assert 'stage engine, line ' in reason
    assert "unknown log opt 'no-such' for syslog log driver" in reason
    api.ok('DELETE', f'/v1/clusters/{cluster}')
    api.gone(f'/v1/clusters/{cluster}')


def test_a_deletion_leaves_nothing(api, cloud, swarm):
    assert swarm.rows(cloud, 'servers')
    api.ok('DELETE', swarm.path)
    api.gone(swarm.path)
    kinds = ('servers', 'ports', 'networks', 'routers')
    assert not [row for kind in kinds for row in swarm.rows(cloud, kind)]
