"""Spec -> parameters of the templates. Pure."""

import json
from typing import Any

from magnum_lite.driver_sdk import (
    ClusterSpec,
    NodeGroupSpec,
    Output,
    Secret,
    envfile,
    proxies,
    servers,
)
from magnum_lite_kubernetes import kubeadm, names, network


def base(spec: ClusterSpec) -> dict[str, Any]:
    """Parameters of the base stack."""
    net = spec.network
    env = _node_env(spec, spec.control_plane) | {
        'KUBEADM_INIT': _json(kubeadm.init(spec)),
        'KUBEADM_CLUSTER': _json(kubeadm.cluster(spec)),
        'KUBELET_CONFIG': _json(kubeadm.kubelet(spec)),
        'MANIFESTS_URL': spec.config['manifests_url'],
        'MANIFESTS_SHA256': spec.config['manifests_sha256'],
        # kubeadm's two replicas drop queries in large clusters.
        'DNS_REPLICAS': min(6, 2 + spec.config['expected_nodes'] // 250),
    }
    return (
        _nodes(spec, spec.control_plane)
        | _authorities(spec)
        | {
            'node_name': names.node_prefix(spec, spec.control_plane) + '-0',
            'name_prefix': names.prefix(spec),
            'external_network': net.external_network or '',
            'fixed_network': net.fixed_network or '',
            'fixed_subnet_cidr': spec.config['fixed_subnet_cidr'],
            'dns_nameservers': list(net.dns_nameservers),
            'floating_ip': net.floating_ip_enabled,
            'apiserver_port': kubeadm.port(spec),
            'api_sources': _sources(spec.config['master_lb_allowed_cidrs']),
            'ssh_sources': _sources(spec.config['ssh_allowed_cidrs']),
            # In a network of the cluster's own there is nobody but nodes and their load balancers.
            'node_port_sources': _sources(
                spec.config['node_port_allowed_cidrs'],
                '' if net.fixed_network else spec.config['fixed_subnet_cidr'],
            ),
            'node_env': envfile.render(env),
            'manifest': network.render(spec),
        }
    )


def workers(spec: ClusterSpec, group: NodeGroupSpec, shard: int, count: int) -> dict[str, Any]:
    """Parameters of a stack of workers.

    :param count: nodes of this shard.
    """
    spec = spec.of_group(group)
    env = _node_env(spec, group) | {'KUBEADM_JOIN': _json(kubeadm.join(spec, group))}
    return _nodes(spec, group) | {
        'node_type': servers.kind(spec, group),
        'node_name_prefix': names.node_prefix(spec, group, shard),
        'node_count': count,
        # Indexes count within one stack; only a group of one stack can name its members.
        'removed': [str(index) for index in group.removed] if shard == 0 else [],
        'network': Output('base', 'network'),
        'security_group': Output('base', 'security_group'),
        'api_internal': Output('base', 'api_internal'),
        'ca_kubernetes_cert': _secret(spec, 'ca.kubernetes.cert'),
        'node_env': envfile.render(env),
    }


def _nodes(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, Any]:
    return {
        'image': group.image,
        'flavor': group.flavor,
        'availability_zone': spec.config['availability_zone'],
        'boot_volume_size': spec.config['boot_volume_size'],
        'boot_volume_type': spec.config['boot_volume_type'],
        'metadata': _metadata(spec, group),
        'fixed_subnet': spec.network.fixed_subnet or '',
        'address_pairs': [{'ip_address': kubeadm.pod_cidr(spec)}]
        if network.is_routed(spec)
        else [],
        'boot_timeout_s': spec.config['node_boot_timeout'],
        # Without its comment: what is left is of letters that are safe everywhere.
        'ssh_public_key': ' '.join((spec.ssh_public_key or '').split()[:2]),
        'bootstrap_token': _fetched(spec, 'bootstrap'),
        # Who enrols reports to the service: what Heat makes is used by nobody, and should expire.
        'signal_transport': 'TOKEN_SIGNAL' if spec.enrolment_url else 'HEAT_SIGNAL',
    }


def _sources(*texts: str) -> list[str]:
    # Neutron refuses the same rule twice.
    return list(dict.fromkeys(cidr for text in texts for cidr in text.split(',') if cidr))


def _metadata(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, str]:
    # The size travels here because a server, unlike the template that stands in for one, has no
    # property for it.
    size = {'docker_volume_size': str(group.docker_volume_size)}
    return {'magnum_lite_cluster': spec.uuid, 'magnum_lite_node_group': group.uuid} | (
        size if group.docker_volume_size else {}
    )


def _authorities(spec: ClusterSpec) -> dict[str, Any]:
    found: dict[str, Any] = {'service_account_key': _fetched(spec, 'service_account')}
    for purpose in ('kubernetes', 'etcd', 'front_proxy'):
        found[f'ca_{purpose}_cert'] = _secret(spec, f'ca.{purpose}.cert')
        found[f'ca_{purpose}_key'] = _fetched(spec, f'ca.{purpose}.key')
    return found


def _fetched(spec: ClusterSpec, purpose: str) -> Secret | str:
    # Heat shows its readers whatever it is given: a node that can asks the service.
    return '' if spec.enrolment_url else _secret(spec, purpose)


def _secret(spec: ClusterSpec, purpose: str) -> Secret:
    # A cluster may be deleted before its secrets are made; its plan must still name its stacks.
    return spec.secrets.get(purpose) or Secret(f'not made/{purpose}')


def _node_env(spec: ClusterSpec, group: NodeGroupSpec) -> dict[str, str | int | bool]:
    prefix, tag = spec.config['container_infra_prefix'], spec.config['pause_tag']
    return {
        'ENROLMENT_URL': (spec.enrolment_url or '').rstrip('/'),
        'CLUSTER_UUID': spec.uuid,
        'APISERVER_PORT': kubeadm.port(spec),
        'KUBE_TAG': spec.config['kube_tag'],
        'BOOT_LIMIT_S': _boot_limit(spec),
        'RENEW_DAYS': kubeadm.renew_days(spec),
        'CGROUP_DRIVER': spec.config['cgroup_driver'],
        'CNI_PLUGINS': ' '.join(network.plugins(spec)),
        'CONTAINER_VOLUME': bool(group.docker_volume_size),
        'IMAGE_REPOSITORY': prefix.rstrip('/'),
        # Without a tag the node asks its kubeadm.
        'SANDBOX_IMAGE': f'{prefix}pause:{tag}' if prefix and tag else '',
        'INSECURE_REGISTRY': spec.insecure_registry or '',
        'READY_PODS': ' '.join(network.pods(spec, group)),
        'REGISTRY_MIRROR': spec.config['registry_mirror'],
        'HTTP_PROXY': proxies.url(spec.http_proxy or ''),
        'HTTPS_PROXY': proxies.url(spec.https_proxy or ''),
        'NO_PROXY': _no_proxy(spec),
    }


def _boot_limit(spec: ClusterSpec) -> int:
    # Heat's own limit ends a stack without a reason: the node must have told one by then. What
    # comes before the servers takes some of it.
    return max(60, min(spec.config['node_boot_timeout'], 60 * spec.timeout_min - 120))


def _no_proxy(spec: ClusterSpec) -> str:
    if not (spec.http_proxy or spec.https_proxy):
        return ''
    own = [
        'localhost',
        '127.0.0.1',
        '169.254.169.254',
        '.svc',
        '.' + spec.config['dns_cluster_domain'],
        spec.config['service_cluster_ip_range'],
        kubeadm.pod_cidr(spec),
    ]
    return proxies.exceptions(spec.no_proxy or '', own)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True)
