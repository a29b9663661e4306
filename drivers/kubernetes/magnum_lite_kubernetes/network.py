"""The network of the pods: what the control plane applies so that nodes become Ready."""

import copy
import functools
import json
from typing import Any

import yaml

from magnum_lite.driver_sdk import ClusterSpec
from magnum_lite_kubernetes import files, kubeadm


def has_network(spec: ClusterSpec) -> bool:
    """Whether the driver itself brings the network of the pods."""
    return (spec.network.driver or 'flannel') == 'flannel'


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
