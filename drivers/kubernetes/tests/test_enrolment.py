"""Nodes that fetch their secrets, with the stubbed programs of ``node``."""

import base64
import hashlib
import json
import re

import pytest

from magnum_lite.driver_sdk import enrolment
from magnum_lite.driver_sdk.testing import example

pytestmark = pytest.mark.needs('jq', 'openssl')
KEYS = {
    'ca.kubernetes.key': 'ca.key',
    'ca.etcd.key': 'etcd/ca.key',
    'ca.front_proxy.key': 'front-proxy-ca.key',
    'service_account': 'sa.key',
}


@pytest.fixture
def make_asking(make_node):
    """``make_asking(role)``: a node that is to fetch its secrets, and what it will be given."""

    def make(role='master'):
        node = make_node(role, enrolment_url='https://service.example.org/')
        pki = node.root / 'etc/kubernetes/pki'
        (pki / 'etcd').mkdir()
        key = (pki / 'sa.key').read_text()
        (pki / 'sa.key').write_text('')
        (node.root / 'etc/magnum-lite/bootstrap_token').write_text('')
        bundle = (
            {name: f'{key}{name}' for name in KEYS}
            if role == 'master'
            else {enrolment.JOIN_CERTIFICATE: 'certificate', enrolment.JOIN_KEY: 'key'}
        )
        (node.stubs / 'bundle.json').write_text(json.dumps({'secrets': bundle}))
        return node, bundle

    return make


@pytest.mark.parametrize('answer', ['', 'lost_answer'])
def test_a_control_plane_fetches_its_keys_by_a_proof_in_nova(
    make_asking, kubeadm_documents, answer
):
    node, bundle = make_asking()
    (node.stubs / (answer or 'answer')).touch()
    pki = node.root / 'etc/kubernetes/pki'
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    asked = json.loads((node.stubs / 'asked.json').read_text())
    assert asked | {'proof': ''} == {'cluster': example.CLUSTER, 'server': 'u', 'proof': ''}
    said = hashlib.sha256(asked['proof'].encode()).hexdigest()
    assert (node.stubs / 'password').read_text().strip() == said
    assert any(line.endswith(enrolment.PASSWORD) for line in node.log)
    assert asked['proof'] not in output
    assert all((pki / KEYS[name]).read_text() == f'{bundle[name]}\n' for name in KEYS)
    init = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())['InitConfiguration']
    (made_up,) = init['bootstrapTokens']  # by kubeadm
    assert made_up['ttl'] == '1h0m0s' and 'token' not in made_up
    assert not list((node.root / 'run').glob('*enrolment*'))


def test_a_worker_joins_by_the_certificate_that_it_fetched(make_asking, kubeadm_documents):
    node, _ = make_asking('worker')
    code, output = node.boot('worker.sh')
    assert code == 0, output
    join = kubeadm_documents((node.stubs / 'kubeadm.yaml').read_text())['JoinConfiguration']
    assert join['discovery'] == {
        'file': {'kubeConfigPath': f'{node.root}/run/magnum-lite-join.conf'}
    }
    discovery = json.loads((node.stubs / 'discovery.json').read_text())
    (context,) = discovery['contexts']
    cluster, user = discovery['clusters'][0], discovery['users'][0]
    assert (discovery['current-context'], context['context']) == (
        context['name'],
        {'cluster': cluster['name'], 'user': user['name']},
    )
    assert cluster['cluster'] == {
        'server': 'https://10.0.0.5:6443',
        'certificate-authority-data': base64.b64encode(
            node.read('etc/magnum-lite/ca.crt').encode()
        ).decode(),
    }
    assert {name: base64.b64decode(text) for name, text in user['user'].items()} == {
        'client-certificate-data': b'certificate\n',
        'client-key-data': b'key\n',
    }
    assert not list((node.root / 'run').glob('*.conf'))
    assert not list((node.root / 'etc/magnum-lite').glob('bootstrap*'))
    (report,) = node.signals
    assert report['proof'] == json.loads((node.stubs / 'asked.json').read_text())['proof']
    assert (report['server'], report['status'], report['data']) == ('u', 'SUCCESS', 'v1.36.2')
    assert not any(line.endswith('/signal') or 'auth/tokens' in line for line in node.log)
    # What fails later can be told, for the node is known by then.
    assert node.first('/v1/enrolments') < node.first('modprobe')
    node.boot('worker.sh')
    assert sum(line.endswith('/v1/enrolments') for line in node.log) == 1


def test_a_node_asks_less_and_less_often(make_asking):
    node, _ = make_asking('worker')
    bundle = node.stubs / 'bundle.json'
    bundle.rename(node.stubs / 'later.json')
    (node.stubs / 'bin/sleep').write_text(
        '#!/bin/bash\necho "sleep $*" >>"$STUB_LOG"\n'
        '[ "$(grep -c ^sleep "$STUB_LOG")" -lt 8 ] ||'
        ' cp "$STUB_DIR/later.json" "$STUB_DIR/bundle.json"\n'
    )
    (node.stubs / 'bin/sleep').chmod(0o755)
    code, output = node.boot('worker.sh')
    assert code == 0, output
    pauses = [float(line.split()[1]) for line in node.log if line.startswith('sleep')]
    assert len(pauses) == 8
    for pause, most in zip(pauses, (1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert most / 2 <= pause <= most


def test_a_password_that_is_not_the_nodes_own_is_told_of(make_asking):
    node, _ = make_asking('worker')
    (node.stubs / 'password').write_text('of somebody else')
    node.hasten('at_most 600', 'at_most 1')
    assert node.boot('worker.sh')[0] != 0
    assert (
        'gave up after 1 s: http://169.254.169.254/openstack/latest/password does not take '
        'the proof' in node.read('console')
    )
    assert not any(line.endswith('/v1/enrolments') for line in node.log)


def test_a_node_that_gives_up_says_why_on_its_console(make_asking):
    node, _ = make_asking('worker')
    (node.stubs / 'bundle.json').unlink()
    script = node.root / 'usr/local/lib/magnum-lite/boot_lib.sh'
    script.write_text(script.read_text().replace('"$(at_most 600)"', '1'))
    assert node.boot('worker.sh')[0] != 0
    assert [(said['status'], said['server']) for said in node.signals] == [('FAILURE', 'u')]
    last = node.read('console').splitlines()[-1]
    assert re.match(
        r'magnum-lite: .*stage enrol, line \d+, exit 1: gave up after 1 s: '
        r'https://service.example.org answers 403: No secrets for this server: '
        'too early',
        last,
    )
