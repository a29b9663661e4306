"""The network of the pods: what the control plane applies so that nodes become Ready."""

import copy
import functools
import json
from typing import Any

import yaml

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec
from magnum_lite_kubernetes import files, kubeadm


def has_network(spec: ClusterSpec) -> bool:
    """Whether the driver itself brings the network of the pods."""
    return (spec.network.driver or 'flannel') == 'flannel'


def is_routed(spec: ClusterSpec) -> bool:
    """Whether the addresses of pods pass the ports of the nodes, outside of any tunnel."""
    # Calico may tunnel or not, as its manifests say.
    return spec.network.driver == 'calico' or (
        has_network(spec) and spec.config['flannel_backend'] == 'host-gw'
    )


def pods(spec: ClusterSpec, group: NodeGroupSpec) -> tuple[str, ...]:
    """Pods that must be Ready before a node of a group is, as ``NAMESPACE/LABEL=VALUE``."""
    # What other drivers bring is not known here: DNS runs when it works.
    found = (
        ['kube-system/k8s-app=kube-proxy', 'kube-flannel/app=flannel'] if has_network(spec) else []
    )
    return (*found, *(['kube-system/k8s-app=kube-dns'] if group.is_control_plane else []))


def plugins(spec: ClusterSpec) -> tuple[str, ...]:
    """CNI plugins that nodes must have before the network comes; other drivers bring theirs."""
    return ('bridge', 'host-local', 'loopback', 'portmap') if has_network(spec) else ()


def render(spec: ClusterSpec) -> str:
    """A Kubernetes List as JSON in one line; empty of items where the network is not flannel."""
    items = _flannel(spec) if has_network(spec) else []
    return json.dumps({'apiVersion': 'v1', 'kind': 'List', 'items': items}, sort_keys=True)


@functools.cache
def _objects() -> list[dict[str, Any]]:
    # A plan is made at each look at a cluster; reading YAML would be most of its time.
    return [dict(o) for o in yaml.safe_load_all(files.text('manifests/flannel.yaml'))]


def _flannel(spec: ClusterSpec) -> list[dict[str, Any]]:
    objects = copy.deepcopy(_objects())
    prefix = spec.config['container_infra_prefix'] or 'flannel/'
    images = {
        'flannel': f'{prefix}flannel:{spec.config["flannel_tag"]}',
        'flannel-cni-plugin': f'{prefix}flannel-cni-plugin:{spec.config["flannel_cni_tag"]}',
    }
    for item in objects:
        if item['kind'] == 'ConfigMap':
            item['data']['net-conf.json'] = json.dumps(
                {
                    'Network': kubeadm.pod_cidr(spec),
                    'Backend': {'Type': spec.config['flannel_backend']},
                },
                sort_keys=True,
            )
        if item['kind'] == 'DaemonSet':
            pod = item['spec']['template']['spec']
            for container in pod['initContainers'] + pod['containers']:
                container['image'] = images[container['image']]
    return objects
