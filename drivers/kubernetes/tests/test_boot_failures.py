"""Boots that fail: what a node says of it, and when."""

import re
import signal
import subprocess
import time

import pytest

from magnum_lite_kubernetes import parameters

pytestmark = pytest.mark.needs('jq', 'openssl')


def test_a_failure_says_stage_line_and_last_words(make_node):
    node = make_node()
    (node.stubs / 'kubeadm.out').write_text('preflight\nerror: port 6443 is "in use"\n')
    code, _ = node.boot('control_plane.sh')
    assert code != 0
    assert [s['status'] for s in node.signals] == ['FAILURE']
    reason = node.signals[0]['reason']
    assert re.search(
        r'stage init, line [1-9]\d*, exit 1: timeout 1\d\d\d kubeadm init '
        '.*port 6443 is "in use"',
        reason,
    )


@pytest.mark.parametrize('call', ['kubectl-apply', 'kubectl---namespace'])
def test_one_refusal_of_the_api_decides_nothing(make_node, call):
    node = make_node()
    node.refuse(
        call,
        'Error from server (InternalError): an error on the server ("") has '
        'prevented the request from succeeding',
        times=1,
    )
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    assert [s['status'] for s in node.signals] == ['SUCCESS']


def test_the_reason_has_the_last_words_of_what_was_waited_for(make_node):
    node = make_node()
    node.hasten('until_true 300 kubectl', 'until_true 1 kubectl')
    said = (
        'The connection to the server 10.0.0.5:6443 was refused - did you specify the right '
        'host or port?'
    )
    # What kubectl logs before it says so would fill a reason.
    node.refuse('kubectl-get', said, times=9)
    node.hasten('until_true 1 kubectl', 'until_true 1 noisy kubectl')
    node.program(
        'stubs/bin/noisy',
        """#!/bin/bash
for n in 1 2 3 4 5; do
    echo 'E1129 21:43:25.735315   13142 memcache.go:381] "Couldn'"'"'t get current server API' \\
        'group list" err="Get \\"https://10.0.0.5:6443/api?timeout=32s\\": dial tcp' \\
        '10.0.0.5:6443: connect: connection refused"'
done
"$@"
""",
    )
    assert node.boot('control_plane.sh')[0] != 0
    assert re.search(
        r'stage api, line \d+, exit 1: waited \d s for: noisy kubectl get '
        rf'--raw=/readyz -> {re.escape(said)}$',
        node.signals[0]['reason'],
    )


def test_a_node_reports_before_nobody_listens_any_more(make_node):
    node = make_node()
    node.set('BOOT_LIMIT_S', 10)
    node.refuse('kubectl-get', 'The connection to the server was refused', times=99)
    assert node.boot('control_plane.sh')[0] != 0
    assert re.search(
        r'stage api, .*waited \d s for: kubectl get --raw=/readyz -> The connection',
        node.signals[0]['reason'],
    )


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_a_kubeadm_that_does_not_end_is_ended_and_told(make_node, role):
    node = make_node(role)
    node.set('BOOT_LIMIT_S', 10)
    (node.stubs / 'kubeadm.words').write_text(
        '[api-check] Waiting for a healthy API server. This can take up to 10m0s\n'
    )
    assert node.boot('control_plane.sh' if role == 'master' else 'worker.sh')[0] != 0
    assert re.search(
        r'exit 124: timeout \d kubeadm \w+ .* -> \[api-check\] Waiting for a healthy '
        'API server',
        node.signals[0]['reason'],
    )


@pytest.mark.parametrize(
    ('timeout_min', 'label', 'wanted'),
    [(60, 1800, 1800), (20, 1800, 1080), (1, 1800, 60), (60, 300, 300)],
)
def test_a_boot_knows_which_limit_of_the_stack_comes_first(make_spec, timeout_min, label, wanted):
    spec = make_spec(timeout_min=timeout_min, config={'node_boot_timeout': label})
    for given in (parameters.base(spec), parameters.workers(spec, spec.worker_groups[0], 0, 1)):
        assert f"BOOT_LIMIT_S='{wanted}'\n" in given['node_env']


def test_the_errors_of_kubeadm_are_told_and_not_its_advice(make_node):
    node = make_node()
    (node.stubs / 'kubeadm.out').write_text(
        '[init] Using Kubernetes version: v1.36.2\n[preflight] Running pre-flight checks\n'
        '[preflight] Some fatal errors occurred:\n'
        '\t[ERROR NumCPU]: the number of available CPUs 1 is less than the required 2\n'
        '\t[ERROR Port-10250]: Port 10250 is in use\n'
        '[preflight] If you know what you are doing, you can make a check non-fatal with '
        '`--ignore-preflight-errors=...`\n'
        'error: error execution phase preflight: preflight checks failed\n'
        'To see the stack trace of this error execute with --v=5 or higher\n'
    )
    node.boot('control_plane.sh')
    reason = node.signals[0]['reason']
    assert reason.endswith(
        '-> [ERROR NumCPU]: the number of available CPUs 1 is less than the '
        'required 2 [ERROR Port-10250]: Port 10250 is in use'
    )


def test_an_image_with_another_version_fails_by_name(make_node):
    node = make_node(config={'kube_tag': 'v1.35.0'})
    code, _ = node.boot('control_plane.sh')
    assert code != 0
    assert 'the image has Kubernetes v1.36.2, kube_tag wants v1.35.0' in node.signals[0]['reason']


def test_a_node_that_is_shut_down_in_the_middle_reports_it(make_node):
    node = make_node()
    (node.stubs / 'hang').touch()
    process = node.start('control_plane.sh')
    deadline = time.monotonic() + 30
    while not any(line.startswith('kubectl get node ') for line in node.log):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    subprocess.run(['kill', '-TERM', '--', f'-{process.pid}'], check=True)
    process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)
    assert [s['status'] for s in node.signals] == ['FAILURE']
    assert 'stage ready' in node.signals[0]['reason']
