"""The boot scripts, run by bash on this machine with every program that changes a system stubbed.

The scripts are the package's own but for the directories they work in; bash, jq, openssl, sed and
the core utilities are real.
"""

import json
import re

import pytest

pytestmark = pytest.mark.needs('jq', 'openssl')
THREE = ('10.0.0.5', '10.0.0.6', '10.0.0.7')
AWAY = {'Swarm': {'LocalNodeState': 'inactive', 'ControlAvailable': False}}
MEMBER = {'Swarm': {'LocalNodeState': 'active', 'ControlAvailable': True}}
TOKENS = {'JoinTokens': {'Manager': 'SWMTKN-m', 'Worker': 'SWMTKN-w'}}


def test_the_only_manager_makes_the_swarm(make_node):
    node = make_node()
    code, output = node.boot('manager.sh')
    assert code == 0, output
    assert node.told('init.json') == {
        'ListenAddr': '0.0.0.0:2377',
        'AdvertiseAddr': '10.0.0.5',
        'Availability': 'active',
        'DefaultAddrPool': ['10.128.0.0/13'],
        'SubnetSize': 24,
    }
    (signal,) = node.signals
    assert (signal['status'], signal['data']) == ('SUCCESS', '20.10.24+dfsg1')
    daemon = json.loads(node.read('etc/docker/daemon.json'))
    assert daemon['tlsverify'] is True
    assert daemon['labels'][-1] == 'magnum-lite.server=u'
    unit = node.read('etc/systemd/system/docker.service.d/magnum-lite-api.conf')
    assert unit.startswith('[Service]\nExecStart=\nExecStart=') and ' -H tcp://0.0.0.0:2376' in unit
    assert 'SWMTKN' not in output and 'PRIVATE' not in output


def test_a_manager_is_known_by_all_its_addresses_as_long_as_its_authority(make_node):
    node = make_node()
    node.boot('manager.sh')
    text = node.openssl('x509', '-in', node.pki / 'server.pem', '-noout', '-text')
    for name in ('10.0.0.5, ', '192.0.2.5', '10.0.0.9', 'DNS:node-0'):
        assert name in text
    assert 'TLS Web Server Authentication, TLS Web Client Authentication' in text
    node.openssl('verify', '-CAfile', node.pki / 'ca.pem', node.pki / 'server.pem')
    end = 29 * 86400  # of whole days, fewer than the thirty of the authority
    node.openssl('x509', '-in', node.pki / 'server.pem', '-noout', '-checkend', str(end))
    assert not (node.pki / 'ca-key.pem').exists()
    assert not (node.pki / 'join-key.pem').exists()


def test_who_trusts_the_authority_of_before_alone_believes_a_manager_of_the_new_one(make_node):
    node = make_node()
    pki, cross = node.pki, node.pki / 'ca-cross.pem'
    for part in ('.pem', '-key.pem'):
        (pki / f'ca{part}').rename(pki / f'old{part}')
    node.authority('ca', 'docker-ca')
    (pki / 'ca-signs.pem').write_bytes((pki / 'ca.pem').read_bytes())
    node.openssl('req', '-new', '-key', pki / 'ca-key.pem', '-subj', '/CN=docker-ca',
                 '-out', pki / 'new.csr')  # fmt: skip
    (pki / 'ca.ext').write_text('basicConstraints=critical,CA:TRUE\n')
    node.openssl('x509', '-req', '-in', pki / 'new.csr', '-CA', pki / 'old.pem', '-CAkey',
                 pki / 'old-key.pem', '-days', '9', '-extfile', pki / 'ca.ext', '-out', cross,
                 '-set_serial', '9')  # fmt: skip
    with (pki / 'ca.pem').open('ab') as bundle:
        bundle.write((pki / 'old.pem').read_bytes())
    assert node.boot('manager.sh')[0] == 0
    sent = pki / 'server.pem'
    for trusted in ('old.pem', 'ca-signs.pem', 'ca.pem'):
        node.openssl('verify', '-CAfile', pki / trusted, '-untrusted', sent, sent)


def test_the_door_knows_both_kinds_of_workers_and_no_user(make_node, tmp_path):
    manager = make_node()
    key = manager.read('etc/docker/join-key.pem')
    assert manager.boot('manager.sh')[0] == 0
    door = manager.pki / 'door.pem'
    worker = make_node('worker')  # in the same directory
    (worker.pki / 'join-key.pem').write_text(key)
    worker.hasten('rm -f "$pki"/join*.pem', ':')
    worker.hasten('"$(at_most 1200)" fetch_token', '1 fetch_token')
    (worker.stubs / 'state').unlink()
    worker.boot('worker.sh')
    assert 'OK' in worker.openssl('verify', '-CAfile', door, worker.pki / 'join.pem')
    assert door.read_text().count('BEGIN CERTIFICATE') == 2
    assert (worker.pki / 'ca.pem').read_text() not in door.read_text()


def test_a_second_run_of_a_manager_that_runs_changes_nothing(make_node):
    node = make_node()
    node.boot('manager.sh')
    certificate, calls = node.read('etc/docker/server.pem'), len(node.log)
    # The engine has made its bridge meanwhile.
    (node.stubs / 'routes').write_text(json.dumps([{'dst': '172.17.0.0/24', 'dev': 'docker0'}]))
    code, output = node.boot('manager.sh')
    assert code == 0, output
    assert node.read('etc/docker/server.pem') == certificate
    again = node.log[calls:]
    assert not [line for line in again if 'restart docker' in line or 'swarm/init' in line]


def test_the_first_manager_asks_all_others_before_it_makes_a_swarm(make_node):
    node = make_node(managers=THREE)
    node.hasten('until_true 600', 'until_true 1')
    node.says('10.0.0.6:2376/info', AWAY)
    assert node.boot('manager.sh')[0] != 0
    reason = node.signals[0]['reason']
    assert 'stage swarm, ' in reason
    assert '10.0.0.7 does not answer' in reason
    node.says('10.0.0.7:2376/info', AWAY)
    assert node.boot('manager.sh')[0] == 0
    assert (node.stubs / 'init.json').exists()


@pytest.mark.parametrize('index', [0, 2])
def test_a_manager_joins_the_swarm_that_another_is_in(make_node, index):
    node = make_node(managers=THREE, index=index)
    node.says('10.0.0.6:2376/info', MEMBER)
    node.says('10.0.0.6:2376/nodes', [])
    node.says('10.0.0.6:2376/swarm', TOKENS)
    code, output = node.boot('manager.sh')
    assert code == 0, output
    join = node.told('join.json')
    assert join['JoinToken'] == 'SWMTKN-m'
    assert join['RemoteAddrs'] == ['10.0.0.6:2377']
    assert not (node.stubs / 'init.json').exists()
    asked = next(line for line in node.log if line.endswith('https://10.0.0.6:2376/swarm'))
    assert '--cert' in asked and '--cacert' in asked


def test_a_lost_manager_of_the_same_address_is_demoted_first(make_node):
    node = make_node(managers=THREE, index=2)
    old = {
        'ID': 'old',
        'Version': {'Index': 7},
        'Spec': {'Role': 'manager', 'Availability': 'active'},
        'ManagerStatus': {'Addr': '10.0.0.7:2377'},
        'Status': {'State': 'down'},
    }
    alive = old | {'ID': 'new', 'ManagerStatus': {'Addr': '10.0.0.5:2377'}}
    other = '10.0.0.6:2376'
    node.says(f'{other}/info', MEMBER)
    node.says(f'{other}/nodes', [old, alive])
    node.says(f'{other}/nodes/old', old)
    node.says(f'{other}/nodes/old/update?version=7', {})
    node.says(f'{other}/nodes/old?force=true', {})
    node.says(f'{other}/swarm', TOKENS)
    code, output = node.boot('manager.sh')
    assert code == 0, output
    assert node.told('told.json') == {'Role': 'worker', 'Availability': 'active'}
    assert sum('DELETE' in line for line in node.log) == 1


def test_a_worker_joins_by_the_token_of_any_door(make_node):
    node = make_node('worker', managers=THREE, config={'worker_availability': 'pause'})
    node.says('10.0.0.6:2378/', {'token': 'SWMTKN-w'})
    code, output = node.boot('worker.sh')
    assert code == 0, output
    join = node.told('join.json')
    assert (join['JoinToken'], join['Availability']) == ('SWMTKN-w', 'pause')
    assert join['RemoteAddrs'] == [f'{manager}:2377' for manager in THREE]
    assert node.signals[0]['status'] == 'SUCCESS'
    assert not list(node.pki.glob('join*.pem'))
    assert 'SWMTKN' not in output


def test_a_worker_that_enrols_joins_by_the_certificate_that_it_is_given(make_node):
    node = make_node('worker', enrolment_url='https://service.example.org/')
    (node.pki / 'join-key.pem').write_text('\n')
    given = {'secrets': {'bootstrap.cert': 'certificate', 'bootstrap.key': 'key'}}
    (node.stubs / 'bundle.json').write_text(json.dumps(given))
    node.says('10.0.0.5:2378/', {'token': 'SWMTKN-w'})
    node.hasten('rm -f "$pki"/join*.pem', ':')
    code, output = node.boot('worker.sh')
    assert code == 0, output
    assert node.read('etc/docker/join.pem') == 'certificate\n'
    assert node.read('etc/docker/join-client-key.pem') == 'key\n'
    (report,) = node.signals
    assert (report['server'], report['status']) == ('u', 'SUCCESS')


FAILURES = {
    'an image without an engine': (
        lambda node: (node.stubs / 'bin/dockerd').unlink(),
        'stage image, .*the image lacks dockerd$',
    ),
    'a network under the overlays': (
        lambda node: (node.stubs / 'routes').write_text(
            json.dumps([{'dst': '10.130.0.0/24', 'dev': 'ens3'}])
        ),
        'stage addresses, .*the network 10.130.0.0/24 of this server overlaps overlay_address_pool '
        '10.128.0.0/13$',
    ),
    'an engine that does not start': (
        lambda node: (node.stubs / 'journal').write_text(
            'level=info msg="stopping event stream"\nunable to configure the Docker daemon\n'
        ),
        'stage engine, .*docker.service does not start -> unable to configure the Docker daemon $',
    ),
    'managers that do not answer': (
        lambda node: node.hasten('"$(at_most 1200)" fetch_token', '1 fetch_token'),
        'stage token, .*gave up after 1 s: https://10.0.0.5:2378/ does not answer: '
        'curl: [(]7[)] no route$',
    ),
}


@pytest.mark.parametrize('case', FAILURES)
def test_the_report_of_a_failure_has_stage_line_and_words(case, make_node):
    breaks, words = FAILURES[case]
    node = make_node('worker')
    breaks(node)
    assert node.boot('worker.sh')[0] != 0
    (signal,) = node.signals
    assert signal['status'] == 'FAILURE'
    assert re.search(f': {words}', signal['reason']), signal['reason']
    assert re.search(r', line [1-9]\d*, exit 1: ', signal['reason'])


def test_a_refused_join_is_told_in_the_words_of_the_engine(make_node):
    node = make_node('worker')
    node.says('10.0.0.5:2378/', {'token': 'SWMTKN-w'})
    node.hasten('until_true 300', 'until_true 1')
    (node.stubs / 'refusal').write_text('{"message": "invalid join token"}')
    assert node.boot('worker.sh')[0] != 0
    reason = node.signals[0]['reason']
    assert 'stage join, ' in reason and 'answers 400: invalid join token' in reason
    assert 'SWMTKN' not in reason


@pytest.mark.parametrize('answer', ['{"Implements": ["VolumeDriver"]}', '{"Implements": []}'])
def test_a_volume_driver_of_the_image_is_started_and_asked(make_node, answer):
    node = make_node(volume_driver='cvmfs')
    node.hasten('until_true 120 is_volume', 'until_true 1 is_volume')
    (node.stubs / 'plugin').write_text(answer)
    is_right = 'VolumeDriver' in answer
    assert (node.boot('manager.sh')[0] == 0) is is_right
    assert any('enable --now docker-volume-cvmfs.service' in line for line in node.log)
    assert is_right or 'stage volumes, ' in node.signals[0]['reason']
