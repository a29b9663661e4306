"""What a spec must keep so that the driver can build it. Pure."""

import ipaddress
import json
import re

from magnum_lite.driver_sdk import ClusterSpec, NodeGroupSpec, Rejected, proxies, quoted
from magnum_lite_kubernetes import config, kubeadm, stacks

SSH_KEY = re.compile(r'[a-z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\r\n]*)?')
REGISTRY = re.compile(rf'{config.HOST}(:[0-9]{{1,5}})?')
# Heat's max_resources_per_stack is 1000 and counts what stands beside the members too.
MAX_NODES_PER_STACK = 900
SHOWN = 60  # characters of a refused value that is no text
# What Kubernetes itself is made for.
MAX_NODES = 5000
# Each is a document of its own, and calls of Heat.
MAX_STACKS = 200
# Labels that a group may have of its own; the others are the same in a whole cluster.
OF_GROUPS = frozenset(
    {
        'auto_scaling_enabled',
        'availability_zone',
        'boot_volume_size',
        'boot_volume_type',
        'max_node_count',
        'min_node_count',
        'node_boot_timeout',
        'registry_mirror',
    }
)


def check(spec: ClusterSpec, *, distros: frozenset[str], server_types: frozenset[str]) -> None:
    """Refuse what cannot work; of a change of one group, that group and what it adds to.

    :raises Rejected: with the attribute to mend, its value and what would be accepted.
    """
    if spec.focus is None:
        _check_kind(spec, distros, server_types)
        _check_unsupported(spec)
        _check_manifests(spec)
        _check_text(spec)
        _check_registries(spec)
        _check_network(spec)
    _check_size(spec)
    for group in spec.node_groups:
        if spec.focus in (None, group.uuid):
            _check_group(spec, group)
    _check_stacks(spec)
    _check_addresses(spec)


def _refuse_if(wrong: object, path: str, reason: str) -> None:
    if wrong:
        raise Rejected(path, reason)


def _check_kind(spec: ClusterSpec, distros: frozenset[str], server_types: frozenset[str]) -> None:
    _refuse_if(
        spec.server_type not in server_types,
        'server_type',
        f'{spec.server_type} is not one of {", ".join(sorted(server_types))}',
    )
    _refuse_if(
        spec.image.os_distro not in distros,
        'image_id',
        f'image {spec.image.name} has os_distro {spec.image.os_distro or "not set"}, '
        f'this driver boots {", ".join(sorted(distros))}',
    )
    tag = spec.config['kube_tag']
    # What kubeadm.py writes is read since then.
    _refuse_if(
        tag and tuple(map(int, tag[1:].split('.')[:2])) < (1, 31),
        'labels.kube_tag',
        f'{tag} is too old, use v1.31 or later',
    )
    _refuse_if(
        spec.control_plane.node_count != 1,
        'master_count',
        f'{spec.control_plane.node_count} control-plane nodes are not supported yet, use 1',
    )


def _check_unsupported(spec: ClusterSpec) -> None:
    _refuse_if(spec.tls_disabled, 'tls_disabled', 'Kubernetes does not run without TLS, use false')
    _refuse_if(
        spec.registry_enabled,
        'registry_enabled',
        'this driver installs no registry, use false and the label registry_mirror',
    )
    _refuse_if(
        spec.network.master_lb_enabled,
        'master_lb_enabled',
        'one control-plane node has no load balancer, use false',
    )
    _refuse_if(
        spec.docker_storage_driver not in (None, 'overlay', 'overlay2'),
        'docker_storage_driver',
        'containerd stores by overlayfs, use overlay2',
    )


def _check_manifests(spec: ClusterSpec) -> None:
    _refuse_if(
        spec.volume_driver and spec.volume_driver not in config.VOLUME_DRIVERS,
        'volume_driver',
        f'{quoted(spec.volume_driver or "")} is not one of {", ".join(config.VOLUME_DRIVERS)}',
    )
    manifests = spec.config['manifests_url']
    # Each names what is missing: a cluster may bring what its template lacks.
    _refuse_if(
        spec.volume_driver and not manifests,
        'labels.manifests_url',
        f'volume_driver {spec.volume_driver} needs its manifests here and '
        'manifests_sha256, none is built in; or leave volume_driver out',
    )
    _refuse_if(
        spec.network.driver not in (None, 'flannel') and not manifests,
        'labels.manifests_url',
        f'network_driver {spec.network.driver} needs its manifests here and '
        'manifests_sha256; flannel is built in',
    )
    for has, lacks in (
        ('manifests_url', 'manifests_sha256'),
        ('manifests_sha256', 'manifests_url'),
    ):
        _refuse_if(
            spec.config[has] and not spec.config[lacks],
            f'labels.{lacks}',
            f'it goes together with {has}',
        )


def _check_text(spec: ClusterSpec) -> None:
    proxy = 'a URL in ASCII such as http://ann:a%2Fb@192.0.2.7:3128'
    for path, text, is_right, wanted in (
        ('keypair', spec.ssh_public_key, SSH_KEY.fullmatch, 'one line of OpenSSH public key'),
        ('insecure_registry', spec.insecure_registry, REGISTRY.fullmatch, 'HOST or HOST:PORT'),
        ('http_proxy', spec.http_proxy, proxies.is_url, proxy),
        ('https_proxy', spec.https_proxy, proxies.is_url, proxy),
        (
            'no_proxy',
            spec.no_proxy,
            proxies.are_exceptions,
            'a list such as example.org,.internal,192.0.2.0/24 without spaces',
        ),
    ):
        _refuse_if(
            text and not is_right(text), path, f'{wanted} is expected, not {quoted(text or "")}'
        )


def _check_registries(spec: ClusterSpec) -> None:
    for path, text in (
        ('insecure_registry', spec.insecure_registry or ''),
        ('labels.registry_mirror', spec.config['registry_mirror']),
        ('labels.container_infra_prefix', spec.config['container_infra_prefix']),
    ):
        where = re.sub('^https?://', '', text).partition('/')[0]
        _refuse_if(
            text and not proxies.is_url(f'http://{where}'),
            path,
            f'{where} is no host with a port of 1 to 65535 or an IPv6 address',
        )


def _check_network(spec: ClusterSpec) -> None:
    net = spec.network
    _refuse_if(
        not net.external_network and not net.fixed_network,
        'external_network_id',
        'a network is made for the cluster, which needs an external network; or name a '
        'fixed_network',
    )
    _refuse_if(
        not net.external_network and net.floating_ip_enabled,
        'external_network_id',
        'the floating IP of the API comes from it; name one, or use floating_ip_enabled false',
    )
    _refuse_if(
        net.fixed_subnet and not net.fixed_network,
        'fixed_network',
        f'the network of fixed_subnet {net.fixed_subnet} is expected',
    )


def _check_size(spec: ClusterSpec) -> None:
    _refuse_if(
        spec.node_count > MAX_NODES,
        'node_count',
        f'a cluster has at most {MAX_NODES} nodes, {spec.node_count} are wanted',
    )


def _check_stacks(spec: ClusterSpec) -> None:
    count = 1 + sum(len(stacks.shards(spec, group)) for group in spec.worker_generations)
    _refuse_if(
        count > MAX_STACKS,
        'labels.nodes_per_stack',
        f'a cluster has at most {MAX_STACKS} stacks, {count} are wanted: use a larger '
        'number or fewer node groups',
    )


def _check_group(spec: ClusterSpec, group: NodeGroupSpec) -> None:
    for name in sorted(group.config.keys() - OF_GROUPS):
        value = group.config[name]
        shown = quoted(value) if isinstance(value, str) else json.dumps(value)[:SHOWN]
        raise Rejected(
            f'labels.{name}',
            f'node group {group.name} cannot differ from its cluster '
            f'in this, as {shown} would; in '
            f'{", ".join(sorted(OF_GROUPS))} it can',
        )
    spec = spec.of_group(group)
    path = 'master_count' if group.is_control_plane else 'node_count'
    most = max(group.node_count, group.max_node_count or 0)
    _refuse_if(
        group.max_node_count is not None and most > MAX_NODES_PER_STACK,
        path,
        f'a node group with a max_node_count has at most {MAX_NODES_PER_STACK} nodes',
    )
    if spec.server_type == 'bm':
        _refuse_if(
            group.docker_volume_size,
            'docker_volume_size',
            'physical machines have no volumes, leave it out',
        )
        _refuse_if(
            spec.config['boot_volume_size'],
            'labels.boot_volume_size',
            'physical machines boot from their own disks, use 0',
        )


def _check_addresses(spec: ClusterSpec) -> None:
    key = 'calico_ipv4pool' if spec.network.driver == 'calico' else 'flannel_network_cidr'
    wanted = {
        key: _cidr(key, kubeadm.pod_cidr(spec)),
        'service_cluster_ip_range': _cidr(
            'service_cluster_ip_range', spec.config['service_cluster_ip_range']
        ),
    }
    for label in ('master_lb_allowed_cidrs', 'ssh_allowed_cidrs', 'node_port_allowed_cidrs'):
        for source in filter(None, spec.config[label].split(',')):
            _cidr(label, source)
    nodes = spec.node_count
    # Each node takes a /24.
    _refuse_if(
        nodes > 2 ** max(0, 24 - wanted[key].prefixlen),
        f'labels.{key}',
        f'{wanted[key]} has room for {2 ** max(0, 24 - wanted[key].prefixlen)} nodes, '
        f'{nodes} are wanted',
    )
    if not spec.network.fixed_network:
        subnet = _cidr('fixed_subnet_cidr', spec.config['fixed_subnet_cidr'])
        # Network, gateway, DHCP and broadcast are not for nodes.
        _refuse_if(
            nodes > subnet.num_addresses - 4,
            'labels.fixed_subnet_cidr',
            f'{subnet} has room for {subnet.num_addresses - 4} nodes, {nodes} are wanted',
        )
        wanted['fixed_subnet_cidr'] = subnet
    pairs = list(wanted.items())
    for index, (name, cidr) in enumerate(pairs):
        for other, taken in pairs[index + 1 :]:
            _refuse_if(cidr.overlaps(taken), f'labels.{other}', f'{taken} overlaps {name} {cidr}')


def _cidr(key: str, text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        raise Rejected(
            f'labels.{key}', f'a network such as 192.0.2.0/24 is expected, not {quoted(text)}'
        ) from None
    _refuse_if(
        ipaddress.ip_address(text.partition('/')[0]) != network.network_address,
        f'labels.{key}',
        f'{network} is expected, not {quoted(text)}, which has host bits',
    )
    return network
