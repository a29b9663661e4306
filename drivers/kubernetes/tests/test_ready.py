"""When a node reports success, and what it says where Kubernetes does not run on it."""

import re

import pytest

from magnum_lite.driver_sdk import Network

pytestmark = pytest.mark.needs('jq', 'openssl')
SCRIPT = {'master': 'control_plane.sh', 'worker': 'worker.sh'}
NO_NETWORK = (
    'container runtime network not ready: NetworkReady=false '
    'reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not '
    'initialized'
)
IMAGE = '10.0.0.9:5000/k/flannel-cni-plugin:v1.8.0-flannel1'


def as_pod(namespace, name, labels, *statuses, ready=False, node='node-0', **status):
    """A pod as kubectl prints it; ``statuses`` are those of its containers."""
    conditions = [{'type': 'Ready', 'status': str(ready)}]
    return {
        'apiVersion': 'v1',
        'kind': 'Pod',
        'metadata': {'namespace': namespace, 'name': name, 'labels': labels},
        'spec': {'nodeName': node} if node else {},
        'status': {
            'phase': 'Running' if ready else 'Pending',
            'conditions': conditions,
            'containerStatuses': list(statuses),
        }
        | status,
    }


def waiting(image, reason, message=None):
    state = {'reason': reason} | ({'message': message} if message else {})
    return {'image': image, 'ready': False, 'state': {'waiting': state}}


FLANNEL = as_pod(
    'kube-flannel',
    'flannel-x7k2p',
    {'app': 'flannel'},
    waiting('10.0.0.9:5000/k/flannel:v0.27.4', 'PodInitializing'),
    initContainerStatuses=[
        waiting(
            IMAGE,
            'ImagePullBackOff',
            f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to '
            f'resolve image: {IMAGE}: not found',
        )
    ],
)
DNS = {
    'namespace': 'kube-system',
    'name': 'coredns-66bc5c9577-abcde',
    'labels': {'k8s-app': 'kube-dns'},
}
UNSCHEDULED = as_pod(
    **DNS,
    node=None,
    conditions=[
        {
            'type': 'PodScheduled',
            'status': 'False',
            'reason': 'Unschedulable',
            'message': '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are '
            'available: 1 No preemption victims found for incoming pod.',
        }
    ],
)


def fail(node, role='master'):
    """The reason of a boot that must fail, by limits of a second."""
    node.hasten(
        *(
            ('until_true 540', 'until_true 1')
            if role == 'master'
            else ('persist "$(at_most 540)"', 'persist 1')
        )
    )
    code, output = node.boot(SCRIPT[role])
    assert code != 0, output
    (signal,) = node.signals
    assert signal['status'] == 'FAILURE'
    assert 'stage ready, ' in signal['reason']
    return signal['reason']


def test_a_control_plane_succeeds_once_its_pods_are_ready(make_node):
    node = make_node()
    node.pods('first-pods.json', dns=UNSCHEDULED)
    code, output = node.boot('control_plane.sh')
    assert code == 0, output
    assert sum(line.startswith('kubectl get pods') for line in node.log) == 2
    # More replicas are for the workers, of which there are none yet.
    assert node.first('kubectl get pods') < node.first('scale deployment coredns')


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_an_image_that_a_pod_lacks_is_told_before_the_ten_minutes_are_over(make_node, role):
    node = make_node(role)
    node.pods(flannel=FLANNEL)
    node.says('False', NO_NETWORK)
    node.hasten('-lt 180', '-lt 1')
    assert node.boot(SCRIPT[role])[0] != 0
    assert re.search(
        r'exit 42: .*kube-flannel/flannel-x7k2p: image '
        rf'{re.escape(IMAGE)}: ImagePullBackOff: Back-off pulling image .*not found; '
        'Node node-0: container runtime network not ready',
        node.signals[0]['reason'],
    )


def test_a_pod_that_finds_no_place_is_told_with_the_words_of_the_scheduler(make_node):
    node = make_node()
    node.pods(dns=UNSCHEDULED)
    assert (
        '-> kube-system/coredns-66bc5c9577-abcde: Unschedulable: 0/1 nodes are available: '
        '1 Insufficient cpu.'
    ) in fail(node)


def test_what_only_events_tell_is_told(make_node):
    node = make_node()
    node.pods(
        proxy=as_pod(
            'kube-system',
            'kube-proxy-v4d9q',
            {'k8s-app': 'kube-proxy'},
            waiting('registry.k8s.io/kube-proxy:v1.36.2', 'ContainerCreating'),
        ),
        events=[
            {
                'kind': 'Event',
                'type': 'Warning',
                'reason': 'FailedCreatePodSandBox',
                'message': f'Failed to create pod sandbox: number {number}',
                'lastTimestamp': f'2026-11-29T21:0{number}:00Z',
                'involvedObject': {'kind': 'Pod', 'namespace': 'kube-system', 'name': name},
            }
            for number, name in (
                (3, 'kube-proxy-v4d9q'),
                (2, 'kube-proxy-v4d9q'),
                (4, 'etcd-node-0'),
            )
        ],
    )
    assert fail(node).endswith(
        'kube-system/kube-proxy-v4d9q: image '
        'registry.k8s.io/kube-proxy:v1.36.2: FailedCreatePodSandBox: '
        'Failed to create pod sandbox: number 3'
    )


def test_a_pod_that_crashes_is_told_with_its_exit(make_node):
    node = make_node()
    crash = waiting(
        'registry.k8s.io/coredns/coredns:v1.14.2',
        'CrashLoopBackOff',
        'back-off 40s restarting failed container=coredns',
    )
    node.pods(
        dns=as_pod(
            **DNS,
            containerStatuses=[
                crash | {'lastState': {'terminated': {'reason': 'Error', 'exitCode': 137}}}
            ],
        )
    )
    assert fail(node).endswith(
        'image registry.k8s.io/coredns/coredns:v1.14.2: CrashLoopBackOff: back-off 40s restarting '
        'failed container=coredns (ended before: Error, exit 137)'
    )


@pytest.mark.parametrize('role', ['master', 'worker'])
def test_a_node_without_its_network_says_so(make_node, role):
    node = make_node(role)
    node.pods(flannel=None)
    node.says('False', NO_NETWORK)
    assert fail(node, role).endswith(
        f'kube-flannel: has no pod of app=flannel here; Node node-0: {NO_NETWORK}'
    )


def test_a_worker_asks_for_what_a_kubelet_may_see(make_node):
    node = make_node('worker')
    node.pods(dns=UNSCHEDULED)
    code, output = node.boot('worker.sh')
    assert code == 0, output
    assert node.read('stubs/kubeconfig').endswith('etc/kubernetes/kubelet.conf\n')
    asked = [line for line in node.log if line.startswith('kubectl get')]
    # Nodes may list the pods of their own, and no events.
    assert [line.split(' -o ')[0] for line in asked] == [
        'kubectl get node node-0',
        'kubectl get pods --all-namespaces --field-selector spec.nodeName=node-0',
    ]
    assert node.first('kubeadm join') < node.first('kubectl get node')


def test_workers_that_boot_together_ask_less_and_less_often(make_node):
    node = make_node('worker')
    node.says('False', NO_NETWORK)
    node.program(
        'stubs/bin/sleep',
        '#!/bin/bash\necho "sleep $*" >>"$STUB_LOG"\n'
        '[ "$(grep -c ^sleep "$STUB_LOG")" -lt 5 ] ||'
        ' sed -i s/False/True/g "$STUB_DIR/node.json"\n',
    )
    code, output = node.boot('worker.sh')
    assert code == 0, output
    pauses = [float(line.split()[1]) for line in node.log if line.startswith('sleep')]
    assert len(pauses) == 5
    assert 8 <= pauses[-1] <= 16


def test_pods_of_others_fail_no_creation_but_are_told(make_node):
    node = make_node(network=Network(external_network='public', driver='calico'))
    calico = as_pod(
        'calico-system',
        'calico-node-8xk2j',
        {'k8s-app': 'calico-node'},
        waiting('quay.io/calico/node:v3.31.0', 'ErrImagePull', 'no such\nhost'),
    )
    node.pods(flannel=None, calico=calico)
    assert node.boot('control_plane.sh')[0] == 0
    (node.stubs / 'signals.json').unlink()
    node.pods(flannel=None, calico=calico, dns=UNSCHEDULED)
    reason = fail(node)
    assert 'coredns-66bc5c9577-abcde: Unschedulable' in reason
    assert (
        'calico-node-8xk2j: image quay.io/calico/node:v3.31.0: ErrImagePull: no such host' in reason
    )


def test_pods_on_other_nodes_are_not_waited_for(make_node):
    node = make_node()
    node.pods(
        gone=FLANNEL | {'spec': {'nodeName': 'worker-3'}},
        moved=as_pod(**DNS, ready=True, node='worker-3'),
        dns=None,
    )
    assert node.boot('control_plane.sh')[0] == 0


def test_a_reason_is_short_whatever_is_wrong(make_node):
    node = make_node()
    node.pods(**{f'dns{n}': UNSCHEDULED for n in range(6)})
    reason = fail(node)
    assert len(reason.split(' -> ')[1]) <= 600
