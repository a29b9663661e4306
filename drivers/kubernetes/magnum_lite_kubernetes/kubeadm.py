"""Documents of kubeadm (v1beta4) and the kubelet, but for what only a node knows."""

from typing import Any

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec
from magnum_lite.driver_sdk.servers import slug

VERSION = 'kubeadm.k8s.io/v1beta4'
# Whom kubeadm lets join.
JOINERS = 'system:bootstrappers:kubeadm:default-node-token'
SOCKET = 'unix:///run/containerd/containerd.sock'
# Slow disks and processors make kubeadm's own limits give up on nodes that would have come. The
# first request of all waits for the API server to start, and kubernetesAPICall alone limits it.
TIMEOUTS = {
    'controlPlaneComponentHealthCheck': '10m0s',
    'discovery': '10m0s',
    'etcdAPICall': '5m0s',
    'kubeletHealthCheck': '5m0s',
    'kubernetesAPICall': '10m0s',
    'tlsBootstrap': '10m0s',
}


def pod_cidr(spec: ClusterSpec) -> str:
    """Addresses of the pods."""
    key = 'calico_ipv4pool' if spec.network.driver == 'calico' else 'flannel_network_cidr'
    return str(spec.config[key])


def port(spec: ClusterSpec) -> int:
    """Port of the Kubernetes API."""
    return spec.apiserver_port or 6443


def renew_days(spec: ClusterSpec) -> int:
    """Days before its end at which a certificate of a node is renewed.

    Never more than a quarter of the year that kubeadm itself gives, which it does where it cannot
    ask the cluster for the configuration: what it made then is not renewed again the next day.
    """
    return int(min(90, spec.config['certificate_days'] // 3))


def init(spec: ClusterSpec) -> dict[str, Any]:
    """InitConfiguration of the first control-plane node, without its token, name and address."""
    return {
        'apiVersion': VERSION,
        'kind': 'InitConfiguration',
        # A group may grow at any time, and its user data does not change: a token in it must not
        # end. Who enrols joins by a certificate: kubeadm makes up a token, which nobody is told.
        'bootstrapTokens': [
            {
                'ttl': '1h0m0s' if spec.enrolment_url else '0s',
                'usages': ['signing', 'authentication'],
                'groups': [JOINERS],
            }
        ],
        'nodeRegistration': _registration(spec.control_plane),
        'localAPIEndpoint': {'bindPort': port(spec)},
        'timeouts': TIMEOUTS,
    }


def join(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    """JoinConfiguration of a worker, without discovery, name and address."""
    return {
        'apiVersion': VERSION,
        'kind': 'JoinConfiguration',
        'discovery': {},
        'nodeRegistration': _registration(group) | {'taints': [dict(t) for t in group.node_taints]},
        'timeouts': TIMEOUTS,
    }


def cluster(spec: ClusterSpec) -> dict[str, Any]:
    """ClusterConfiguration, without version and endpoint."""
    prefix = spec.config['container_infra_prefix']
    # 400 requests at once, the API server's default, end in 429 answers with many kubelets.
    inflight = max(400, 2 * spec.config['expected_nodes'])
    return {
        'apiVersion': VERSION,
        'kind': 'ClusterConfiguration',
        'clusterName': slug(spec.name, 63),
        'networking': {
            'podSubnet': pod_cidr(spec),
            'serviceSubnet': spec.config['service_cluster_ip_range'],
            'dnsDomain': spec.config['dns_cluster_domain'],
        },
        'apiServer': {
            'certSANs': [],
            'extraArgs': [
                {'name': 'max-requests-inflight', 'value': str(inflight)},
                {'name': 'max-mutating-requests-inflight', 'value': str(inflight // 2)},
            ],
        },
        'certificateValidityPeriod': f'{24 * spec.config["certificate_days"]}h0m0s',
        'controllerManager': {'extraArgs': [{'name': 'node-cidr-mask-size', 'value': '24'}]},
    } | ({'imageRepository': prefix.rstrip('/')} if prefix else {})


def kubelet(spec: ClusterSpec) -> dict[str, Any]:
    """KubeletConfiguration of every node."""
    return {
        'apiVersion': 'kubelet.config.k8s.io/v1beta1',
        'kind': 'KubeletConfiguration',
        'cgroupDriver': spec.config['cgroup_driver'],
        'clusterDomain': spec.config['dns_cluster_domain'],
        'maxPods': spec.config['max_pods'],
        'rotateCertificates': True,
    }


def _registration(group: NodeGroupSpec) -> dict[str, Any]:
    labels = {
        'magnum.openstack.org/role': slug(group.role, 63),
        'magnum.openstack.org/nodegroup': slug(group.name, 63),
    } | dict(group.node_labels)
    text = ','.join(f'{key}={value}' for key, value in sorted(labels.items()))
    return {'criSocket': SOCKET, 'kubeletExtraArgs': [{'name': 'node-labels', 'value': text}]}
