"""The configuration of a cluster: the driver's labels with their types and defaults. Data only."""

from collections.abc import Mapping
from typing import Any

_BYTE = '(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
_ADDRESS = rf'{_BYTE}(\.{_BYTE}){{3}}'
_NETWORK = rf'{_ADDRESS}/([0-9]|[12][0-9]|3[0-2])'
CIDR = rf'^{_NETWORK}$'
SOURCES = rf'^({_NETWORK}(,{_NETWORK})*)?$'
# kubeadm takes no other: DNS has the tenth address, and the API server keeps a bitmap.
SERVICES = rf'^{_ADDRESS}/(1[2-9]|2[0-8])$'
# Names of registries and of what is in them, as references of images may have them.
HOST = r'[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*'
_PART = r'[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*'
_WORD = r'[a-z0-9]([-a-z0-9]*[a-z0-9])?'
_DOMAIN = rf'{_WORD}(\.{_WORD})*'
TAG = r'^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'

VOLUME_DRIVERS = ['cinder']
# What has to be so that a label changes anything; else users are told.
_FLANNEL = {'network_driver': ['flannel']}

PROPERTIES: dict[str, dict[str, Any]] = {
    'kube_tag': {
        'type': 'string',
        'default': '',
        'pattern': r'^(v[0-9]+\.[0-9]+\.[0-9]+[-+.0-9A-Za-z]*)?$',
        'examples': ['v1.36.2'],
        'description': 'Version of Kubernetes that the image must have, such as v1.36.2; the v '
        'may be left out. Empty takes what the image has.',
    },
    'availability_zone': {
        'type': 'string',
        'default': '',
        'maxLength': 255,
        'description': 'Availability zone of the nodes. Empty leaves it to Nova.',
    },
    'boot_volume_size': {
        'type': 'integer',
        'default': 0,
        'minimum': 0,
        'maximum': 16384,
        'description': 'GiB of each root volume. 0 boots from the disk of the flavor.',
    },
    'boot_volume_type': {
        'type': 'string',
        'default': '',
        'maxLength': 255,
        'only_with': {'boot_volume_size': True},
        'description': 'Cinder type of the root volumes. Empty takes the default of Cinder.',
    },
    'cgroup_driver': {
        'type': 'string',
        'default': 'systemd',
        'enum': ['systemd', 'cgroupfs'],
        'description': 'Who manages control groups, for containerd and the kubelet.',
    },
    'container_infra_prefix': {
        'type': 'string',
        'default': '',
        'pattern': rf'^({_DOMAIN}(:[0-9]{{1,5}})?/({_PART}/)*)?$',
        'maxLength': 200,
        'examples': ['10.0.0.5:5000/kubernetes/'],
        'description': 'Prefix of all images, with a slash at its end, such as '
        '10.0.0.5:5000/kubernetes/. Empty takes the names that the releases have.',
    },
    'registry_mirror': {
        'type': 'string',
        'default': '',
        'pattern': rf'^(https?://({HOST}|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?'
        r'(/[A-Za-z0-9._:/-]*)?)?$',
        'maxLength': 200,
        'examples': ['https://mirror.example.org'],
        'description': 'URL of a mirror that containerd asks first for every image.',
    },
    'pause_tag': {
        'type': 'string',
        'default': '',
        'pattern': rf'^({TAG.strip("^$")})?$',
        'examples': ['3.10.2'],
        'only_with': {'container_infra_prefix': True},
        'description': 'Tag of the pause image below container_infra_prefix. Empty takes the one '
        'that the kubeadm of the image names.',
    },
    'fixed_subnet_cidr': {
        'type': 'string',
        'default': '10.0.0.0/20',
        'pattern': CIDR,
        'title': 'a network',
        'only_with': {'fixed_network': False},
        'description': 'Addresses of the nodes, where the cluster makes its own network.',
    },
    'flannel_network_cidr': {
        'type': 'string',
        'default': '10.128.0.0/13',
        'pattern': CIDR,
        'title': 'a network',
        'only_with': {'network_driver': ['flannel', 'cilium']},
        'description': 'Addresses of the pods. Each node takes 256 of them.',
    },
    'flannel_backend': {
        'type': 'string',
        'default': 'vxlan',
        'enum': ['vxlan', 'host-gw'],
        'only_with': _FLANNEL,
        'description': 'How flannel carries traffic between nodes: in a tunnel, or by routes, '
        'which need all nodes in one subnet.',
    },
    'flannel_tag': {
        'type': 'string',
        'default': 'v0.27.4',
        'pattern': TAG,
        'only_with': _FLANNEL,
        'description': 'Tag of the flannel image.',
    },
    'flannel_cni_tag': {
        'type': 'string',
        'default': 'v1.8.0-flannel1',
        'pattern': TAG,
        'only_with': _FLANNEL,
        'description': "Tag of the image with flannel's CNI plugin.",
    },
    'calico_ipv4pool': {
        'type': 'string',
        'default': '10.128.0.0/13',
        'pattern': CIDR,
        'title': 'a network',
        'only_with': {'network_driver': ['calico']},
        'description': 'Addresses of the pods with network driver calico.',
    },
    'service_cluster_ip_range': {
        'type': 'string',
        'default': '10.254.0.0/16',
        'pattern': SERVICES,
        'title': 'a network of /12 to /28',
        'description': 'Addresses of services, a /12 to /28.',
    },
    'dns_cluster_domain': {
        'type': 'string',
        'default': 'cluster.local',
        'pattern': rf'^{_DOMAIN}$',
        'maxLength': 253,
        'description': 'DNS domain of services.',
    },
    'certificate_days': {
        'type': 'integer',
        'default': 365,
        'minimum': 6,
        'maximum': 3650,
        'description': 'Days that certificates of the control plane are valid. Its node renews '
        'them when a third is left, or 90 days.',
    },
    'max_pods': {
        'type': 'integer',
        'default': 110,
        'minimum': 8,
        'maximum': 250,
        'description': 'Pods that a node may run.',
    },
    'expected_nodes': {
        'type': 'integer',
        'default': 100,
        'minimum': 1,
        'maximum': 5000,
        'description': 'Nodes that the control plane is made for: limits of the API server and '
        'replicas of DNS follow it. It takes effect when the cluster is made.',
    },
    'master_lb_allowed_cidrs': {
        'type': 'string',
        'default': '0.0.0.0/0',
        'pattern': r'^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}'
        r'(,[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2})*$',
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach the Kubernetes API from outside.',
    },
    'ssh_allowed_cidrs': {
        'type': 'string',
        'default': '',
        'pattern': SOURCES,
        'title': 'networks with commas',
        'maxLength': 1000,
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach ssh on the nodes. Empty closes it to '
        'all but other nodes.',
    },
    'node_port_allowed_cidrs': {
        'type': 'string',
        'default': '',
        'pattern': SOURCES,
        'title': 'networks with commas',
        'maxLength': 1000,
        'examples': ['192.0.2.0/24,198.51.100.7/32'],
        'description': 'Comma-separated CIDRs that may reach NodePort services, on workers. A '
        'network that is made for the cluster may always, for load balancers in '
        'it.',
    },
    'manifests_url': {
        'type': 'string',
        'default': '',
        'pattern': r'^(https?://[!-&(-~]+)?$',
        'maxLength': 1000,
        'examples': ['https://example.org/calico.tar.gz'],
        'description': 'URL of a tar.gz of manifests that the control plane applies once: other '
        'network drivers, cloud controller, storage. Needs manifests_sha256.',
    },
    'manifests_sha256': {
        'type': 'string',
        'default': '',
        'pattern': r'^([0-9a-f]{64})?$',
        'examples': ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
        'description': 'SHA-256 of what manifests_url holds.',
    },
    'nodes_per_stack': {
        'type': 'integer',
        'default': 300,
        'minimum': 1,
        'maximum': 900,
        'description': 'A worker group with more nodes becomes several stacks of this size, unless '
        'it has a max_node_count. Never change it on a cluster that exists.',
    },
    'node_boot_timeout': {
        'type': 'integer',
        'default': 1800,
        'minimum': 60,
        'maximum': 36000,
        'description': 'Seconds from the start of a new group until pods run on its first node.',
    },
    'min_node_count': {
        'type': 'integer',
        'default': 0,
        'minimum': 0,
        'maximum': 5000,
        'description': 'Sets min_node_count of the default workers, or of the node group that '
        'gives it, when they are made; later the attribute of the group is '
        'changed.',
    },
    'max_node_count': {
        'type': 'integer',
        'minimum': 1,
        'maximum': 900,
        'description': 'Sets max_node_count as the label above sets min_node_count; none by '
        'default.',
    },
    'auto_scaling_enabled': {
        'type': 'boolean',
        'default': False,
        'description': 'Tells clients that a cluster autoscaler is at work; installs none.',
    },
    'auto_healing_enabled': {
        'type': 'boolean',
        'default': False,
        'description': 'Tells magnum-auto-healer that it may repair nodes; installs none.',
    },
    'auto_healing_controller': {
        'type': 'string',
        'default': '',
        'maxLength': 64,
        'description': 'Name of the healer, for clients; installs none.',
    },
}

SCHEMA: Mapping[str, Any] = {
    '$schema': 'https://json-schema.org/draft/2020-12/schema',
    'type': 'object',
    'additionalProperties': False,
    'properties': PROPERTIES,
    'attributes': {'volume_driver': VOLUME_DRIVERS},
}


def defaults() -> dict[str, Any]:
    """A new mapping with the default of every property that has one."""
    return {name: prop['default'] for name, prop in PROPERTIES.items() if 'default' in prop}
