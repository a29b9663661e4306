"""Certificates of nodes as years go by: the script that a timer runs, on a clock that is moved."""

import re

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from .aging import CLIENT, PODS, SERVING, Aging

pytestmark = pytest.mark.needs('openssl', packages=['libfaketime'])


@pytest.fixture
def make_aging(make_node):
    """``make_aging(role)``: a node whose clock can be moved."""
    return lambda role='master': Aging(make_node(role), role)


def test_no_certificate_of_a_control_plane_ends_in_two_years(make_aging):
    node = make_aging()
    for day in range(0, 2 * 365, 80):
        node.sign(CLIENT, 365, '/O=system:nodes/CN=system:node:node-0', day)  # as the kubelet does
        code, output = node.look(day)
        assert code == 0, output
        assert min(map(node.ends, node.paths)) > day + 80
    assert node.renewals == 2


def test_fresh_certificates_are_left_alone(make_aging):
    node = make_aging()
    assert node.look(270) == (0, '')
    assert node.node.log == []
    assert set(node.stamps) == {'kind: Pod\n'}


def test_what_runs_takes_the_new_certificates(make_aging):
    node = make_aging()
    code, output = node.look(280)
    assert code == 0, output
    assert 'apiserver.crt ends on ' in output
    assert 'the control plane runs with its new certificates' in output
    assert len(set(node.stamps)) == 1 and 'magnum-lite-renewed=' in node.stamps[0]
    manifests = node.root / 'etc/kubernetes/manifests'
    assert sorted(path.stem for path in manifests.iterdir()) == sorted(PODS)
    assert {path.stat().st_mode & 0o777 for path in manifests.iterdir()} == {0o600}
    assert node.look(281) == (0, '')
    assert node.renewals == 1


def test_a_renewal_that_failed_is_tried_again(make_aging):
    node = make_aging()
    (node.node.stubs / 'full').touch()
    code, output = node.look(280)
    assert code != 0 and 'error: disk is full' in output
    assert set(node.stamps) == {'kind: Pod\n'}
    (node.node.stubs / 'full').unlink()
    code, output = node.look(281)
    assert code == 0, output
    assert min(map(node.ends, node.paths)) > 600 and node.renewals == 2
    assert 'magnum-lite-renewed=' in node.stamps[0]


def test_a_restart_that_did_not_succeed_is_tried_again(make_aging):
    node = make_aging()
    script = node.root / 'usr/local/lib/magnum-lite/renew.sh'
    whole = script.read_text()
    script.write_text(whole.replace('SECONDS + 600', 'SECONDS + 0'))
    (node.node.stubs / 'stuck').touch()
    code, output = node.look(280)
    assert code != 0 and 'etcd-node-0 does not run with its new certificates' in output
    script.write_text(whole)
    (node.node.stubs / 'stuck').unlink()
    code, output = node.look(281)
    assert code == 0, output
    assert node.renewals == 1
    assert 'the control plane runs with its new certificates' in output
    assert node.look(282) == (0, '')


def test_a_control_plane_that_was_off_past_the_end_comes_back(make_aging):
    node = make_aging()
    code, output = node.look(500)
    assert code == 0, output
    assert min(map(node.ends, [*node.paths, CLIENT])) > 800
    made = node.certificate(CLIENT)
    assert made.subject.rfc4514_string() == 'CN=system:node:node-0,O=system:nodes'
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    made.verify_directly_issued_by(node.certificate('etc/kubernetes/pki/ca.crt'))
    assert (node.root / CLIENT).stat().st_mode & 0o777 == 0o600
    # Or else nobody tells the API server what runs.
    log = node.node.log
    assert log.index('systemctl restart kubelet.service') < next(
        number for number, line in enumerate(log) if ' get pod ' in line
    )


def test_the_end_of_an_authority_is_told_and_renews_nothing(make_aging):
    node = make_aging()
    node.look(1700)
    code, output = node.look(1800)
    assert code == 0, output
    for name in ('ca.crt', 'front-proxy-ca.crt', 'etcd/ca.crt'):
        assert re.search(f'WARNING: the authority .*/{name} ends on .* nothing renews it', output)
    assert node.renewals == 1


def test_a_worker_renews_what_its_kubelet_signed(make_aging):
    node = make_aging('worker')
    assert node.look(270) == (0, '')
    code, output = node.look(280)
    assert code == 0, output
    assert node.ends(SERVING) > 600
    assert node.node.log == ['systemctl restart kubelet.service']


def test_a_worker_that_was_off_past_the_end_says_what_to_do(make_aging):
    node = make_aging('worker')
    code, output = node.look(400)
    assert code != 0
    assert re.search('kubelet-client-current.pem ended on .*: put another node', output)
    assert node.node.log == []
